import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { drivePlan } from '../options/storage.js';
import { findDisk, openDisks } from './disks.js';

let folder: string;
let image: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmloom-drive-'));
  image = join(folder, 'disk.img');
  writeFileSync(image, new Uint8Array(4096).fill(1));
});
afterEach(() => rmSync(folder, { recursive: true }));

const sector = (byte: number): Uint8Array => new Uint8Array(512).fill(byte);
const open = (...lines: string[]) => openDisks(lines.map((line, index) => drivePlan(line, index, false)));
const first = (): number => readFileSync(image)[0];

it('writes go to the image', async () => {
  const disk = findDisk(open(`file=${image},id=a`), 'a');
  await disk.store.write(0, sector(2));
  disk.close();
  expect(first()).toBe(2);
});

it.each(['snapshot=on', 'overlay'])('with %s the image is left as it is', async (option) => {
  const text = option === 'overlay' ? `overlay=${join(folder, 'layer')}` : option;
  const disk = findDisk(open(`file=${image},id=a,${text}`), 'a');
  await disk.store.write(0, sector(2));
  await disk.store.flush();
  const read = sector(0);
  await disk.store.read(0, read);
  expect(read).toEqual(sector(2));
  disk.close();
  expect(first()).toBe(1);
});

it('an overlay file is there at the next run', async () => {
  const line = `file=${image},id=a,overlay=${join(folder, 'layer')}`;
  const disk = findDisk(open(line), 'a');
  await disk.store.write(512, sector(3));
  await disk.store.flush();
  disk.close();
  const again = findDisk(open(line), 'a');
  const read = sector(0);
  await again.store.read(512, read);
  again.close();
  expect(read).toEqual(sector(3));
});

it('what cannot be is refused with a sentence', () => {
  expect(() => open(`file=${join(folder, 'none')}`)).toThrow('cannot be opened');
  expect(() => open(`file=${image},id=a`, `file=${image},id=a`)).toThrow('two drives are called a');
  const disks = open(`file=${image},id=root`);
  expect(() => findDisk(disks, 'rot')).toThrow('no drive is called rot; did you mean root?');
  for (const disk of disks.values()) disk.close();
});
