import { expect, it } from 'vitest';
import { HostEntropy } from './host-entropy.js';

it('fills with bytes of the host, others every time', async () => {
  const [a, b] = [new Uint8Array(64), new Uint8Array(64)];
  await new HostEntropy().fill(a);
  await new HostEntropy().fill(b);
  expect(new Set(a).size).toBeGreaterThan(20);
  expect(a).not.toEqual(b);
});
