import { MemoryStore, VirtioBlk, VirtioConsole, VirtioPci, type ConsolePort } from '@vmloom/virtio';
import { RecordingStore } from '@vmloom/virtio/testing';
import { nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';
import { POWER_LOSS_MODULES, POWER_LOSS_PLAN, POWER_LOSS_PROGRAMS, SYNCED_FILES } from './power-loss-plan.js';
import { PowerLossTrial, type Verdict } from './power-loss-trial.js';

const SIZE = 32 * 2 ** 20;
const CONTROLS = 3;

/**
 * ext4 on virtio-blk loses power at many points of one load: every time e2fsck makes the file system clean by itself,
 * and every file whose `fsync` had returned is whole. A disk that ignores flushes shows that the test can tell.
 */
export function powerLossTest(configuration: Configuration, set: GuestTest['set'], cuts: number): GuestTest {
  return {
    name: `${nameOf(configuration)}: power lost ${cuts} times under ext4`,
    set,
    run: async (context) => {
      const { report } = context;
      const recording = new RecordingStore(new MemoryStore({ size: SIZE }));
      const medium = new MemoryStore({ size: SIZE });
      const trial = new PowerLossTrial(recording, medium, { cuts, controls: CONTROLS });
      await runPlan(context, configuration, POWER_LOSS_PLAN, {
        patience: 1200,
        longest: 3600,
        memory: '256MiB',
        pack: { modules: POWER_LOSS_MODULES, programs: POWER_LOSS_PROGRAMS },
        onMachine: ({ machine }) => {
          for (const store of [recording, medium]) {
            machine.pcie.plug(new VirtioPci({ device: new VirtioBlk({ store }) }));
          }
          machine.pcie.plug(new VirtioPci({ device: lines((line) => trial.hear(line)) }));
        },
      });
      const { synced, verdicts, controls } = trial;
      const flushes = recording.changes.filter(({ kind }) => kind === 'flush').length;
      report.note(`${recording.changes.length} changes of the disk, ${flushes} of them flushes`);
      report.check('files are synchronized', synced.length === SYNCED_FILES, `${synced.length}`);
      report.check('the power fails as often as asked', verdicts.length === cuts, `${verdicts.length}`);
      const dirty = verdicts.filter(({ clean }) => !clean);
      report.check(
        'e2fsck makes every file system clean by itself',
        dirty.length === 0,
        dirty.map(said).join(' | '),
      );
      const broken = verdicts.filter(({ lost }) => lost.length > 0);
      const files = verdicts.reduce((sum, verdict) => sum + verdict.files, 0);
      report.check(
        'every file is whole whose fsync had returned',
        files > 0 && broken.length === 0,
        broken.map(said).join(' | '),
      );
      report.note(`${verdicts.length} losses, ${files} files that had to be whole`);
      const harmless = controls.filter(({ lost }) => lost.length === 0);
      report.check(
        'a disk that ignores flushes loses files',
        controls.length === CONTROLS && harmless.length === 0,
        harmless.map(said).join(' | '),
      );
      report.note(
        `without flushes: ${controls.map(({ lost, files: of }) => `${lost.length} of ${of}`).join(', ')} lost`,
      );
    },
  };
}

function said({ cutAt, lost, detail }: Verdict): string {
  return `before change ${cutAt}: e2fsck ${detail}${lost.length === 0 ? '' : `; lost ${lost.join(' ')}`}`;
}

/** A console whose port 1 is a conversation by lines. */
function lines(hear: (line: string) => string | undefined): VirtioConsole {
  const device = new VirtioConsole({ maxPorts: 2 });
  device.addPort();
  const decoder = new TextDecoder();
  let rest = '';
  const port: ConsolePort = device.addPort({
    name: 'org.vmloom.power-loss',
    output: (bytes) => {
      const pieces = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = pieces.pop() ?? '';
      for (const line of pieces) {
        const answer = hear(line);
        if (answer !== undefined) port.receive(new TextEncoder().encode(`${answer}\n`));
      }
    },
  });
  return device;
}
