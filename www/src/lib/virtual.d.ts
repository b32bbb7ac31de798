declare module "virtual:embedded" {
  /** Gzipped files as base64, by name. */
  export const embedded: Record<string, string>;
}
