const REFERENCE = new URL('../../prebuilt/fptest.txt', import.meta.url);

/** Not a literal in the import, so that no bundler looks for it. */
const FILE_SYSTEM: string = 'node:fs/promises';

/**
 * What `fptest` prints on QEMU without arguments: one line per operation and rounding mode, ended by `\n`,
 * the firmware's output left out. A machine with exact F and D prints the same. Needs Node.
 */
export async function fptestReference(): Promise<string> {
  const { readFile } = (await import(/* @vite-ignore */ FILE_SYSTEM)) as {
    readFile(this: void, path: URL, encoding: 'utf8'): Promise<string>;
  };
  return readFile(REFERENCE, 'utf8');
}

/** The lines of a console's output that {@link fptestReference} is made of. */
export function fptestLines(output: string): string {
  return [...output.matchAll(/^(?:f[\w.+]+ [\w-]+ [0-9a-f]{16} n=\d+|fptest: \d+ cases)(?=\r?$)/gm)]
    .map(([line]) => `${line}\n`)
    .join('');
}
