import { MemoryStore } from '@vmloom/virtio';
import { RecordingStore } from '@vmloom/virtio/testing';
import { expect, it } from 'vitest';
import { PowerLossTrial, type TrialOptions } from './power-loss-trial.js';

const SIZE = 65_536;

/** A trial after a load: sector by sector a byte that says its number, each flushed and reported. */
function trialOf(options: TrialOptions) {
  const recording = new RecordingStore(new MemoryStore({ size: SIZE }));
  const medium = new MemoryStore({ size: SIZE });
  const trial = new PowerLossTrial(recording, medium, options);
  void recording.write(0, new Uint8Array(512).fill(255));
  void recording.flush();
  trial.hear('formatted');
  for (let index = 1; index <= 30; index++) {
    void recording.write(index * 512, new Uint8Array(512).fill(index));
    void recording.flush();
    trial.hear(`synced digest${index} f${index}`);
  }
  return { trial, held: () => heldBy(medium) };
}

/** The bytes by which the sectors begin; those without one are left out. */
function heldBy(medium: MemoryStore): number[] {
  const bytes = new Uint8Array(SIZE);
  medium.read(0, bytes);
  return Array.from({ length: SIZE / 512 }, (_, index) => bytes[index * 512]).filter((byte) => byte !== 0);
}

/** The guest's side of one loss: what it finds is what the medium holds. */
function judge(trial: PowerLossTrial, held: number[], codes = '1 0'): void {
  trial.hear(`e2fsck ${codes}`);
  for (const index of held) trial.hear(`found digest${index} f${index}`);
}

it('every loss leaves what was flushed, and the losses are spread over the load', () => {
  const { trial, held } = trialOf({ cuts: 4, controls: 0 });
  let answer = trial.hear('judged');
  while (answer === 'more') {
    judge(trial, held());
    answer = trial.hear('judged');
  }
  expect(answer).toBe('end');
  expect(trial.verdicts.map(({ clean, lost }) => ({ clean, lost }))).toEqual(
    Array.from({ length: 4 }, () => ({ clean: true, lost: [] })),
  );
  expect(trial.verdicts.map(({ files }) => files)).toEqual([3, 11, 18, 26]);
});

it('a file that is not there, or differs, is lost', () => {
  const { trial, held } = trialOf({ cuts: 1, controls: 0 });
  expect(trial.hear('judged')).toBe('more');
  judge(
    trial,
    held().filter((index) => index !== 3),
  );
  trial.hear('found other f5');
  expect(trial.hear('judged')).toBe('end');
  expect(trial.verdicts[0]).toMatchObject({ clean: true, lost: ['f3', 'f5'] });
});

it.each(['4 0', '1 4', '', '8 8'])('e2fsck with the exit codes "%s" is not clean', (codes) => {
  const { trial, held } = trialOf({ cuts: 1, controls: 0 });
  trial.hear('judged');
  judge(trial, held(), codes);
  trial.hear('judged');
  expect(trial.verdicts[0].clean).toBe(false);
});

it('a control keeps what was flushed before the load, and loses what was flushed later', () => {
  const { trial, held } = trialOf({ cuts: 1, controls: 2 });
  trial.hear('judged');
  judge(trial, held());
  for (let control = 0; control < 2; control++) {
    expect(trial.hear('judged')).toBe('more');
    expect(held()).toContain(255);
    judge(trial, held());
  }
  expect(trial.hear('judged')).toBe('end');
  expect(trial.verdicts).toHaveLength(1);
  expect(trial.controls).toHaveLength(2);
  for (const { files, lost, cutAt } of trial.controls) {
    expect(cutAt).toBeGreaterThanOrEqual(2 + (60 * 2) / 3);
    expect(files).toBeGreaterThanOrEqual(20);
    expect(lost.length).toBeGreaterThan(0);
  }
});
