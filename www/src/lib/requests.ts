// What the browser says of network requests since the page finished loading.

export interface Requests {
  /** Requests of this page since `since`, as the browser's own resource timing lists them. */
  urls: string[];
  /** Attempts that the policy of the page has stopped. */
  blocked: string[];
}

/** Tells `onchange` whenever a request was made or stopped after `since` (a `performance.now()`). */
export function watchRequests(since: number, onchange: (requests: Requests) => void): () => void {
  const requests: Requests = { urls: [], blocked: [] };
  const isNetwork = (url: string) => !url.startsWith("blob:") && !url.startsWith("data:");
  const observer = new PerformanceObserver((list) => {
    const fresh = list.getEntries().filter((entry) => entry.startTime > since && isNetwork(entry.name));
    if (fresh.length === 0) return;
    requests.urls.push(...fresh.map((entry) => entry.name));
    onchange(requests);
  });
  observer.observe({ type: "resource", buffered: true });
  const onviolation = (event: SecurityPolicyViolationEvent) => {
    requests.blocked.push(event.blockedURI);
    onchange(requests);
  };
  document.addEventListener("securitypolicyviolation", onviolation);
  return () => {
    observer.disconnect();
    document.removeEventListener("securitypolicyviolation", onviolation);
  };
}
