// Answers for the page's own files from a copy, so that the page opens without a network. It sees requests for those files
// and nothing else: what a person drops is never requested, and no message carries it here.
import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";

declare const self: ServiceWorkerGlobalScope;
/** Every file of this build with the hash of its content; put in by build/offline.ts. */
declare const __PAGE_FILES__: { url: string; revision: string }[];

cleanupOutdatedCaches();
precacheAndRoute(__PAGE_FILES__);

// A newer version waits until the person agrees.
self.addEventListener("message", (event) => {
  if ((event.data as { type?: string } | null)?.type === "SKIP_WAITING") void self.skipWaiting();
});
