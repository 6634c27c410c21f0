import { decodeSnapshot, encodeSnapshot, type Snapshot } from '@vmloom/device';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { CliError } from '../error.js';

/** Writes a snapshot, compressed. @throws CliError */
export async function writeSnapshot(file: string, snapshot: Snapshot): Promise<void> {
  const bytes = await promisify(gzip)(encodeSnapshot(snapshot), { level: 1 });
  try {
    await writeFile(file, bytes);
  } catch (cause) {
    throw new CliError(`the snapshot ${file} cannot be written: ${(cause as Error).message}`);
  }
}

/** Reads a snapshot that {@link writeSnapshot} wrote. @throws CliError */
export async function readSnapshot(file: string): Promise<Snapshot> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new CliError(`the snapshot ${file} cannot be read: ${(cause as Error).message}`);
  }
  try {
    return decodeSnapshot((await promisify(gunzip)(bytes)).toString());
  } catch (cause) {
    throw new CliError(`${file} is no snapshot: ${(cause as Error).message}`);
  }
}
