/** Milliseconds for which nobody misses a sign of work: to draw one would hold up what is over by then. */
export const BLINK = 200;
