declare module "virtual:digests" {
  /** SHA-384 of the files that the page fetches, as `fetch` takes it, by name. */
  export const digests: Record<string, string>;
}

declare module "*.md?html" {
  /** A text as HTML. */
  const html: string;
  export default html;
}

declare module "*.md?html&newest" {
  /** The newest part of a list of changes as HTML. */
  const html: string;
  export default html;
}

declare module "virtual:embedded" {
  /** Gzipped files as base64, by name. */
  export const embedded: Record<string, string>;
}
