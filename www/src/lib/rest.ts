// The part of the engine that is loaded later: the engine asks for it here, each time that it needs it.

let engine: WebAssembly.Exports | undefined;
let isThere = false;
let isMissed = false;

/** Tells the engine at once whether the part is there: calls its function of that number. */
export function load(callback: number, data: number): void {
  isMissed ||= !isThere;
  const functions = engine?.["__indirect_function_table"] as WebAssembly.Table;
  (functions.get(callback) as (data: number, isThere: number) => void)(data, Number(isThere));
}

/** Has to be told before the engine is asked anything. */
export function attach(exports: WebAssembly.Exports): void {
  engine = exports;
}

/** Puts the part beside the engine, whose memory and functions it uses. */
export function complete(rest: WebAssembly.Module): void {
  if (!engine) throw new Error("the engine has not started");
  // It is written for this name.
  new WebAssembly.Instance(rest, { __wasm_split: engine });
  isThere = true;
}

/** Whether the part was asked for in vain since this was last called. */
export function takeMissed(): boolean {
  const was = isMissed;
  isMissed = false;
  return was;
}
