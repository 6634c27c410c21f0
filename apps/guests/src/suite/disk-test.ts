import { OverlayStore, VirtioBlk, VirtioPci, type BlockStore } from '@vmloom/virtio';
import { FileStore, OverlayFile } from '@vmloom/virtio/node';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootDiskPlan, DISK_BOOT_MODULES, DISK_BOOT_PROGRAMS } from '../disk/disk-plans.js';
import { makeDisk } from '../disk/make-disk.js';
import { nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

const SIZE = 4_000_000;
/** How often it is booted: as it was made, again, with an overlay, and again with that. */
const BOOTS = ['first', 'second', 'layered', 'layered-again'] as const;
type Boot = (typeof BOOTS)[number];

/** What each boot shows of the root, and of two files that the first and the third write. */
const PLAN = (boot: Boot): string => `
show ${boot}-root grep ' / ' /proc/mounts
show ${boot}-fsck cat /run/fsck
${boot === 'first' ? `head -c ${SIZE} /dev/urandom > /kept` : ''}
${boot === 'layered' ? `head -c ${SIZE} /dev/urandom > /other` : ''}
show ${boot}-kept sha256sum /kept
show ${boot}-other sha256sum /other
# Not busybox's own, which leaves the journal to be recovered.
finish /usr/local/sbin/poweroff -f
`;

/** An ext4 root on virtio-blk: what a boot writes the next one finds, and an overlay leaves the image alone. */
export function diskTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: ext4 root on virtio-blk`,
    set,
    run: async (context) => {
      const { report, update } = context;
      const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
      const file = join(folder, 'disk');
      const layerFile = join(folder, 'layer');
      try {
        await makeDisk(configuration.series, file, { update });
        const shown = new Map<string, string>();
        const run = async (boot: Boot, store: BlockStore): Promise<void> => {
          const result = await runPlan(context, configuration, bootDiskPlan(PLAN(boot)), {
            memory: '256MiB',
            pack: { modules: DISK_BOOT_MODULES, programs: DISK_BOOT_PROGRAMS },
            onMachine: ({ machine }) => {
              machine.pcie.plug(new VirtioPci({ device: new VirtioBlk({ store }) }));
            },
          });
          for (const [name, { text }] of result.shown) shown.set(name, text);
        };
        const base = new FileStore(file, { blocking: true });
        await run('first', base);
        await run('second', base);
        base.close();
        const before = await digestOf(file);
        const fixed = new FileStore(file, { blocking: true, readOnly: true });
        for (const boot of ['layered', 'layered-again'] as const) {
          const layer =
            boot === 'layered'
              ? OverlayFile.create(layerFile, fixed.size, { blocking: true })
              : OverlayFile.open(layerFile, fixed.size, { blocking: true });
          await run(boot, new OverlayStore(fixed, layer));
          layer.close();
        }
        fixed.close();
        const text = (name: string): string => shown.get(name) ?? '';
        const digest = (name: string): string => /^[0-9a-f]{64}/.exec(text(name))?.[0] ?? '';
        for (const boot of BOOTS) {
          const root = text(`${boot}-root`);
          report.check(`${boot}: the root is ext4 on /dev/vda`, /^\/dev\/vda \/ ext4 rw/.test(root), root);
          report.check(
            `${boot}: e2fsck finds it clean`,
            /: clean/.test(text(`${boot}-fsck`)) && !text(`${boot}-fsck`).includes('recover'),
            text(`${boot}-fsck`),
          );
          const kept = digest(`${boot}-kept`);
          report.check(
            `${boot}: the file of the first boot is there`,
            kept !== '' && kept === digest('first-kept'),
            kept,
          );
        }
        report.check('no boot without the overlay has its file', digest('second-other') === '');
        const other = digest('layered-other');
        report.check(
          'what went into the overlay is there again',
          other !== '' && other === digest('layered-again-other'),
          other,
        );
        report.check('the overlay left the image untouched', (await digestOf(file)) === before);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
