// Keeps the page's own files in the browser, so that it opens without a network. Nothing a person drops goes near this.
import { Workbox } from "workbox-window";

export interface Offline {
  /** The page opens without a network from now on. */
  onready: () => void;
  /** A newer version is here; `update` changes to it and loads the page again. */
  onupdate: (update: () => void) => void;
}

/** Does nothing where there are no service workers: a page from disk, or a private window. */
export async function keepForOffline({ onready, onupdate }: Offline): Promise<void> {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  const workbox = new Workbox("./service-worker.js");
  workbox.addEventListener("waiting", () => {
    onupdate(() => {
      workbox.addEventListener("controlling", () => location.reload());
      workbox.messageSkipWaiting();
    });
  });
  try {
    await workbox.register();
    await navigator.serviceWorker.ready;
    onready();
  } catch {
    // Storage may be off or full; then the page needs its host at the next visit, and the badge says so.
  }
}
