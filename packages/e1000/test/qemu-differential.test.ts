import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelledCard } from './modelled-card.js';
import { observe } from './observe.js';
import { QemuCard, qemuMissing } from './qemu-card.js';
import { DIFFERENCES } from './qemu-differences.js';
import { agreeingBits, randomScript } from './random-script.js';
import { PLACE } from './register-probes.js';
import { hex, type Observations } from './register-script.js';

const STEPS = 3_000;

let ours: Observations;
beforeAll(async () => {
  ours = await observe(new ModelledCard(), new ModelledCard());
});

it.each(DIFFERENCES)('8254x $manual ($what)', ({ what, model }) => {
  expect(ours.get(what)).toBe(model);
});

it('8254x 13.7: a packet that was sent shows in the counters, once', () => {
  expect(ours.get('GPTC: after a packet, and read again')).toBe('0x1, 0x0');
  expect(ours.get('TOT: the lower half twice, the upper, the lower again')).toBe('0x40 x2, 0x0 x2');
});

const missing = qemuMissing();
describe.skipIf(missing !== undefined)(
  `differential: one register script on QEMU's e1000 and on the model${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    const cards: QemuCard[] = [];
    const qemu = (...properties: string[]): QemuCard => {
      const card = new QemuCard(...properties);
      cards.push(card);
      return card;
    };
    afterAll(() => Promise.all(cards.map((card) => card.close())));

    it('they differ in what is listed, and in nothing else', async () => {
      // Without mitigation the line follows at once; with it, it waits for a clock that stands still.
      const theirs = await observe(qemu(), qemu('mitigation=off'));
      expect([...theirs.keys()]).toEqual([...ours.keys()]);
      const found = [...theirs]
        .filter(([what, value]) => value !== ours.get(what))
        .map(([what, value]) => `${what}: ${value} here ${ours.get(what)}`);
      const listed = DIFFERENCES.map(({ what, qemu, model }) => `${what}: ${qemu} here ${model}`);
      expect(
        found.filter((one) => !listed.includes(one)),
        'seen, and not listed',
      ).toEqual([]);
      expect(
        listed.filter((one) => !found.includes(one)),
        'listed, and not seen',
      ).toEqual([]);
    });

    it.each([1, 2, 3, 4])(`${STEPS} random accesses without DMA, seed %i`, async (seed) => {
      const theirs = qemu();
      const model = new ModelledCard();
      for (const card of [theirs, model]) await card.run(PLACE);
      const script = randomScript(seed, STEPS, await agreeingBits(theirs, model));
      const accesses = script.map(({ access }) => access);
      const [expected, got] = [await theirs.run(accesses), await model.run(accesses)];
      let reads = 0;
      for (const [index, { access, bits, name }] of script.entries()) {
        if (access.value !== undefined) continue;
        const before = script.slice(Math.max(0, index - 8), index).map((step) => JSON.stringify(step));
        const text = [...before, `reading ${name}, bits ${hex(bits)}`].join('\n');
        expect(hex(got[reads] & bits), text).toBe(hex(expected[reads] & bits));
        reads++;
      }
      expect(reads).toBeGreaterThan(STEPS / 3);
    });
  },
);
