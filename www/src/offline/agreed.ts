/** Where page and service worker meet: a cache of this name says that the person agreed to change to the newer version. */
export const AGREED = "froc-newer-version-agreed";
