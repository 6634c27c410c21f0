import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { HttpPeer } from './http-peer.js';

let peer: HttpPeer;
afterEach(() => peer.close());

it('gives the bytes of its digest, whole chunks or not, and says what it took', async () => {
  peer = new HttpPeer(150_001);
  const url = `http://127.0.0.1:${await peer.listen()}/`;
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  expect(bytes.length).toBe(150_001);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(peer.sha256);
  expect(peer.received).toEqual([]);
  await (await fetch(url, { method: 'POST', body: bytes })).text();
  expect(peer.received).toEqual([{ sha256: peer.sha256, length: 150_001 }]);
});
