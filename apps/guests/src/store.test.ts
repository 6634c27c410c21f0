import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from './cache.js';
import { PackageStore, UnpackedPackage } from './store.js';

const RECORD = { name: 'tool', version: '1', sha256: 'ab', depends: [] };
const bytes = new TextEncoder().encode('content');

let folder: string;
let before: string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmloom-store-'));
  before = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = folder;
});
afterEach(() => {
  if (before === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = before;
  rmSync(folder, { recursive: true });
});

describe('UnpackedPackage', () => {
  it('reads a file that is what was unpacked, and refuses one that has changed', () => {
    writeFileSync(join(folder, 'a'), bytes);
    const unpacked = new UnpackedPackage(RECORD, folder, { a: { sha256: sha256(bytes) }, b: { link: 'a' } });
    expect(unpacked.read('a')).toEqual(bytes);
    expect(unpacked.link('b')).toBe('a');
    writeFileSync(join(folder, 'a'), 'another');
    expect(() => unpacked.read('a')).toThrow(expect.objectContaining({ code: 'checksum' }));
    expect(() => unpacked.read('c')).toThrow(expect.objectContaining({ code: 'missing-package' }));
  });
});

describe('PackageStore', () => {
  it('serves what the cache has without asking the mirror', () => {
    const guests = join(folder, 'vmloom', 'guests');
    const place = join(guests, 'packages', RECORD.sha256);
    mkdirSync(join(place, 'root', 'usr'), { recursive: true });
    mkdirSync(join(guests, 'trixie'), { recursive: true });
    writeFileSync(join(place, 'root', 'usr', 'tool'), bytes);
    writeFileSync(join(place, 'files.json'), JSON.stringify({ 'usr/tool': { sha256: sha256(bytes) } }));
    writeFileSync(join(guests, 'trixie', 'index.json'), JSON.stringify({ tool: RECORD }));
    const store = new PackageStore('trixie');
    expect(store.record('tool')).toEqual(RECORD);
    expect(store.get('tool').read('usr/tool')).toEqual(bytes);
  });
});
