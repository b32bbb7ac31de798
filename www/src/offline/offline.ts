// Keeps the page's own files in the browser, so that it opens without a network. Nothing a person drops goes near this.
import { AGREED } from "./agreed.ts";

/** Answers for the page without a network; beside the page. */
export const SERVICE_WORKER = "service-worker.js";

export interface Offline {
  /** The page opens without a network from now on. */
  onready: () => void;
  /** A newer version is there; `change` fetches it and loads the page again, at the address that it is given. */
  onupdate: (change: (hash: string) => Promise<void>) => void;
}

/** Does nothing where there are no service workers: a page from disk, or a private window. */
export async function keepForOffline({ onready, onupdate }: Offline): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(`./${SERVICE_WORKER}`);
    const isFirstVisit = !registration.active;
    registration.addEventListener("updatefound", () => {
      const newer = registration.installing;
      // It gives itself up where nobody has agreed to it yet; see service-worker.ts.
      newer?.addEventListener("statechange", () => {
        if (newer.state === "redundant" && registration.active) onupdate((hash) => change(registration, hash));
      });
    });
    await navigator.serviceWorker.ready;
    if (await areKept()) onready();
    // The browser's own look for a newer version may have come before the listener above.
    if (!isFirstVisit) await registration.update();
  } catch {
    // No network, or no room to keep the files: then the badge does not say that they are kept.
  }
}

/** Whether the files are there: a browser may forget them and keep the service worker, as WebKit does when it is automated. */
async function areKept(): Promise<boolean> {
  return (await caches.match("./index.html", { ignoreSearch: true })) !== undefined;
}

async function change(registration: ServiceWorkerRegistration, hash: string): Promise<void> {
  await caches.open(AGREED);
  const reload = () => {
    history.replaceState(history.state, "", hash);
    location.reload();
  };
  navigator.serviceWorker.addEventListener("controllerchange", reload, { once: true });
  await registration.update();
}
