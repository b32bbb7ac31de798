// Answers for the page's own files from a copy, so that the page opens without a network. It sees requests for those files
// and nothing else: what a person drops is never requested, and there is no listener for messages that could carry it here.
import { PrecacheController, PrecacheRoute } from "workbox-precaching";
import { registerRoute } from "workbox-routing";

import { AGREED } from "./agreed.ts";

declare const self: ServiceWorkerGlobalScope;
/** Every file of this build with the hash of its content; put in by build/offline.ts. */
declare const __PAGE_FILES__: { url: string; revision: string }[];

const files = new PrecacheController();
files.addToCacheList(__PAGE_FILES__);
registerRoute(new PrecacheRoute(files));

self.addEventListener("install", (event) => {
  event.waitUntil(install(event));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([files.activate(event), caches.delete(AGREED)]));
});

/** A version that nobody agreed to is given up before it fetches anything; the one in use stays. */
async function install(event: ExtendableEvent): Promise<void> {
  if (self.registration.active) {
    if (!(await caches.has(AGREED))) throw new Error("a newer version waits for the person's agreement");
    await self.skipWaiting();
  }
  await files.install(event);
}
