import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelledCard } from './modelled-card.js';
import { findQemu, QemuCard } from './qemu-card.js';
import { DIFFERENCES } from './qemu-differences.js';
import { observe } from './register-script.js';

let ours: Map<string, string>;
beforeAll(async () => {
  ours = await observe(new ModelledCard());
});

it('82576 8: the model answers what the table of differences says', () => {
  const answers = DIFFERENCES.map(([what]) => [what, ours.get(what)]);
  expect(answers).toEqual(DIFFERENCES.map(([what, , model]) => [what, model]));
});

const qemu = findQemu();
describe.skipIf(qemu === undefined)(
  `differential: one register script on QEMU's igb and on the model${qemu ? '' : ' (skipped: there is no QEMU 11.1)'}`,
  () => {
    let card: QemuCard | undefined;
    afterAll(() => card?.close());

    it('they differ in what is listed, and in nothing else', { timeout: 60_000 }, async () => {
      card = new QemuCard(qemu!);
      const theirs = await observe(card);
      const found = [...theirs]
        .filter(([what, value]) => value !== ours.get(what))
        .map(([what, value]) => `${what}: ${value} here ${ours.get(what)}`);
      const listed = DIFFERENCES.map(([what, answer, model]) => `${what}: ${answer} here ${model}`);
      expect(found.sort()).toEqual(listed.sort());
    });
  },
);
