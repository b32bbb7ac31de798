// Every way a script knows to send something to another host.

interface Way {
  name: string;
  place: "page" | "worker" | "both";
}

const ATTEMPTS: Way[] = [
  { name: "fetch", place: "both" },
  { name: "xhr", place: "both" },
  { name: "websocket", place: "both" },
  { name: "eventsource", place: "both" },
  { name: "importscripts", place: "worker" },
  { name: "import", place: "both" },
  { name: "beacon", place: "page" },
  { name: "image", place: "page" },
  { name: "script", place: "page" },
  { name: "style", place: "page" },
  { name: "font", place: "page" },
  { name: "frame", place: "page" },
  { name: "object", place: "page" },
  { name: "video", place: "page" },
  { name: "form", place: "page" },
  { name: "ping", place: "page" },
];

/** The names of those that are tried in one place. */
export const waysIn = (where: "page" | "worker") =>
  ATTEMPTS.filter(({ place }) => place === "both" || place === where).map(({ name }) => name);

/**
 * Tries each of `ways` towards `origin`/name. Runs inside the browser, so it may use nothing from around it. That a call
 * does not throw says nothing: whether a request arrives is for the other host to tell.
 */
export async function attempt({ ways, origin }: { ways: string[]; origin: string }): Promise<void> {
  const element = (tag: string, attributes: Record<string, string>) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    document.body.append(made);
    return made;
  };
  const tries: Record<string, (url: string) => unknown> = {
    fetch: (url) => fetch(url, { mode: "no-cors" }),
    xhr: (url) => {
      const request = new XMLHttpRequest();
      request.open("GET", url);
      request.send();
    },
    websocket: (url) => new WebSocket(url.replace("http", "ws")),
    eventsource: (url) => new EventSource(url),
    importscripts: (url) => (self as unknown as { importScripts(url: string): void }).importScripts(url),
    import: (url) => import(url),
    beacon: (url) => navigator.sendBeacon(url, "x"),
    image: (url) => element("img", { src: url }),
    script: (url) => element("script", { src: url }),
    style: (url) => element("link", { rel: "stylesheet", href: url }),
    font: (url) => new FontFace("elsewhere", `url(${url})`).load(),
    frame: (url) => element("iframe", { src: url }),
    object: (url) => element("object", { data: url }),
    video: (url) => element("video", { src: url }),
    form: (url) => {
      element("iframe", { name: "answer" });
      (element("form", { action: url, target: "answer" }) as HTMLFormElement).submit();
    },
    ping: (url) => element("a", { href: "#ping", ping: url }).click(),
  };
  for (const way of ways) {
    try {
      await tries[way]?.(`${origin}/${way}`);
    } catch {
      // Stopped at once, which is one of the ways to be stopped.
    }
  }
}
