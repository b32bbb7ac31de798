// Which picture belongs to which image, by their names.

/** An image that several pictures fit equally well, or a picture that several images do: nobody can tell which is right. */
export interface Doubt {
  name: string;
  between: string[];
}

export interface Matching {
  /** Path of the picture of each image that has one, by the name of the image. */
  of: ReadonlyMap<string, string>;
  doubts: Doubt[];
  /** Paths of the pictures that fit no image. */
  strangers: string[];
}

interface Name {
  whole: string;
  /** Folders and, last, the name without its ending. */
  parts: string[];
  lower: string[];
  ending: string;
}

function read(whole: string): Name {
  const parts = whole.split(/[/\\]/).filter((part) => part !== "" && part !== ".");
  const last = parts.pop() ?? "";
  const dot = last.lastIndexOf(".");
  parts.push(dot > 0 ? last.slice(0, dot) : last);
  return {
    whole,
    parts,
    lower: parts.map((part) => part.toLowerCase()),
    ending: dot > 0 ? last.slice(dot).toLowerCase() : "",
  };
}

/**
 * How well two names fit; larger is better. Folders that both end in count most, then that the picture lies in no further
 * folder, then equal letters in the same case, then the ending. Their last parts are equal but for the case of letters.
 */
function fit(image: Name, picture: Name): number {
  const common = (a: readonly string[], b: readonly string[]) => {
    let n = 0;
    while (n < a.length && n < b.length && a[a.length - 1 - n] === b[b.length - 1 - n]) n++;
    return n;
  };
  const folders = common(image.lower, picture.lower);
  const isWhole = folders === picture.parts.length;
  const isExact = common(image.parts, picture.parts) >= folders;
  return folders * 8 + (isWhole ? 4 : 0) + (isExact ? 2 : 0) + (image.ending === picture.ending ? 1 : 0);
}

const group = <T>(all: readonly T[], key: (one: T) => string) => {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const known = groups.get(key(one));
    if (known) known.push(one);
    else groups.set(key(one), [one]);
  }
  return groups;
};

/** Those of the greatest fit. */
function best<T>(all: readonly { one: T; fit: number }[]): T[] {
  const most = Math.max(...all.map(({ fit }) => fit));
  return all.filter(({ fit }) => fit === most).map(({ one }) => one);
}

/** Each image takes the picture that fits it best, unless that fits another image better or there are several. */
export function matching(images: readonly string[], pictures: readonly string[]): Matching {
  const last = ({ lower }: Name) => lower.at(-1) ?? "";
  const byLast = group([...new Set(images)].map(read), last);
  const of = new Map<string, string>();
  const doubts: Doubt[] = [];
  const strangers: string[] = [];
  for (const [name, theirs] of group(pictures.map(read), last)) {
    const ours = byLast.get(name) ?? [];
    if (ours.length === 0) strangers.push(...theirs.map(({ whole }) => whole));
    const isDoubtful = new Set<Name>();
    const wanted = new Map<Name, { one: Name; fit: number }[]>();
    for (const image of ours) {
      const candidates = best(theirs.map((picture) => ({ one: picture, fit: fit(image, picture) })));
      const [only] = candidates;
      if (candidates.length > 1 || !only) {
        doubts.push({ name: image.whole, between: candidates.map(({ whole }) => whole) });
        for (const candidate of candidates) isDoubtful.add(candidate);
      } else {
        wanted.set(only, [...(wanted.get(only) ?? []), { one: image, fit: fit(image, only) }]);
      }
    }
    for (const picture of theirs) {
      const [only, ...more] = best(wanted.get(picture) ?? []);
      if (more.length > 0 && only)
        doubts.push({ name: picture.whole, between: [only, ...more].map(({ whole }) => whole) });
      else if (only) of.set(only.whole, picture.whole);
      else if (ours.length > 0 && !isDoubtful.has(picture)) strangers.push(picture.whole);
    }
  }
  return { of, doubts, strangers };
}
