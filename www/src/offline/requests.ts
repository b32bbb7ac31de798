// What the browser says of the network requests of a thread: the page's own, or the engine's.
import { SERVICE_WORKER } from "./offline.ts";

export interface NetworkRequest {
  url: string;
  /** The page's policy stopped it before anything was sent. */
  stopped: boolean;
}

/**
 * Tells `onrequest` of every request that this thread makes, or is stopped from making, unless it `isExpected`; that is
 * asked with the URL and the time at which the request started, as `performance.now()` has it. `blob:` and `data:` stay
 * inside the browser and do not count.
 */
export function watchRequests(
  isExpected: (url: string, start: number) => boolean,
  onrequest: (request: NetworkRequest) => void,
): void {
  const isNetwork = (url: string) => !url.startsWith("blob:") && !url.startsWith("data:");
  const observer = new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) {
      if (isNetwork(name) && !isExpected(name, startTime)) onrequest({ url: name, stopped: false });
    }
  });
  observer.observe({ type: "resource", buffered: true });
  addEventListener("securitypolicyviolation", ({ blockedURI }) => onrequest({ url: blockedURI, stopped: true }));
}

/**
 * Whether a request is one for the page's own files, which are all asked for when this is called and `arrived` once that
 * settles. A browser may note one as started a moment after it was asked for.
 */
export function ownFiles(arrived: Promise<unknown>): (url: string, start: number) => boolean {
  const asked = performance.now();
  let last = Number.POSITIVE_INFINITY;
  void arrived.finally(() => (last = performance.now()));
  const folder = new URL("./", document.baseURI).href;
  const noted = new Set<string>();
  return (url, start) => {
    const isFirst = !noted.has(url);
    noted.add(url);
    if (start <= asked) return true;
    // Safari, and no other, notes that the browser looks for a newer version of the page.
    if (url === `${folder}${SERVICE_WORKER}`) return true;
    return start <= last && isFirst && url.startsWith(`${folder}assets/`) && !url.includes("?");
  };
}
