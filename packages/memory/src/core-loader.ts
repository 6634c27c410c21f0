import { MemoryError } from './error.js';
import type { HostMemory } from './host-memory.js';

const MEMORY_SECTION_IMPORT = 2;
const IMPORT_KIND_MEMORY = 2;

// Not a literal in the import, so that bundlers for the browser leave it alone.
const NODE_FILES = 'node:fs/promises';
interface NodeFiles {
  readFile(path: URL): Promise<Uint8Array>;
}

/** Bytes of a compiled core, by URL: `file:` through Node's file system, all else through fetch. */
export async function fetchCore(url: URL): Promise<Uint8Array> {
  if (url.protocol === 'file:') {
    const files = (await import(/* @vite-ignore */ NODE_FILES)) as NodeFiles;
    return new Uint8Array(await files.readFile(url));
  }
  const response = await fetch(url);
  return new Uint8Array(await response.arrayBuffer());
}

const modules = new WeakMap<Uint8Array, { plain?: WebAssembly.Module; shared?: WebAssembly.Module }>();

/**
 * A core's module for shared or unshared memory. The two differ in one byte, the limits flag of the
 * imported memory (WebAssembly core 5.5.5), which is patched in a copy. Compiled once for each.
 */
export function compileCore(wasm: Uint8Array, shared: boolean): WebAssembly.Module {
  let entry = modules.get(wasm);
  if (entry === undefined) modules.set(wasm, (entry = {}));
  const key = shared ? 'shared' : 'plain';
  return (entry[key] ??= new WebAssembly.Module(withLimits(wasm, shared) as BufferSource));
}

/**
 * Instantiates a core on the host's memory; `imports` are added to `env`, beside `memory` and `flaggedStore`.
 */
export function instantiateCore<Exports>(
  wasm: Uint8Array,
  memory: HostMemory,
  imports: Record<string, WebAssembly.ImportValue> = {},
): Exports {
  const instance = new WebAssembly.Instance(compileCore(wasm, memory.shared), {
    env: { memory: memory.wasm, flaggedStore: memory.flags.flaggedStore, ...imports },
  });
  return instance.exports as Exports;
}

function withLimits(wasm: Uint8Array, shared: boolean): Uint8Array {
  const at = memoryLimitsAt(wasm);
  const flag = shared ? 3 : 1;
  if (wasm[at] === flag) return wasm;
  const copy = wasm.slice();
  copy[at] = flag;
  return copy;
}

/** The position of the limits flag of the imported memory. */
function memoryLimitsAt(wasm: Uint8Array): number {
  let at = 8;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      if (byte === undefined)
        throw new MemoryError('bad-region', 'the core is not a whole WebAssembly module');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < wasm.length) {
    const section = wasm[at++];
    const size = leb();
    if (section !== MEMORY_SECTION_IMPORT) {
      at += size;
      continue;
    }
    for (let count = leb(); count > 0; count--) {
      for (let name = 0; name < 2; name++) {
        const length = leb();
        at += length;
      }
      const kind = wasm[at++];
      if (kind === IMPORT_KIND_MEMORY) return at;
      if (kind === 0) leb();
      else if (kind === 3) at += 2;
      else if (kind === 1) {
        at++;
        const limits = wasm[at++];
        leb();
        if ((limits & 1) !== 0) leb();
      }
    }
    break;
  }
  throw new MemoryError('bad-region', 'the core imports no memory');
}
