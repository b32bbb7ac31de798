// What the browser says of the network requests of a thread: the page's own, or the engine's.

export interface NetworkRequest {
  url: string;
  /** The page's policy stopped it before anything was sent. */
  stopped: boolean;
}

/**
 * Tells `onrequest` of every request that this thread makes, or is stopped from making, after `since` (milliseconds since
 * 1970). `blob:` and `data:` stay inside the browser and do not count.
 */
export function watchRequests(since: number, onrequest: (request: NetworkRequest) => void): void {
  const isNetwork = (url: string) => !url.startsWith("blob:") && !url.startsWith("data:");
  const observer = new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries()) {
      if (performance.timeOrigin + startTime > since && isNetwork(name)) onrequest({ url: name, stopped: false });
    }
  });
  observer.observe({ type: "resource", buffered: true });
  addEventListener("securitypolicyviolation", ({ blockedURI }) => onrequest({ url: blockedURI, stopped: true }));
}
