// The part of the address after `#` as fields; address.svelte.ts says what they are.

export const VERSION = "1";

/** Fields of an address of this version; none of an empty one; null of any other. */
export function read(hash: string): URLSearchParams | null {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  return hash.length < 2 || fields.get("v") === VERSION ? fields : null;
}

/** The address with some fields changed; null takes one away. */
export function textOf(before: URLSearchParams, fields: Record<string, string | number | null>): string {
  const text = new URLSearchParams(before);
  text.set("v", VERSION);
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) text.delete(name);
    else text.set(name, String(value));
  }
  return `#${text.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
}
