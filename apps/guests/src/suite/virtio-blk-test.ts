import { MemoryStore, OverlayStore, VirtioBlk, VirtioPci } from '@vmloom/virtio';
import { FileStore } from '@vmloom/virtio/node';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

/** How a disk is attached. */
export interface DiskVariant {
  readonly packed: boolean;
  /** Request queues. */
  readonly queues: number;
  /** The host's calls answer in their own time, instead of the machine waiting for them. */
  readonly outside: boolean;
  readonly transport: 'pci' | 'mmio';
}

const MIB = 2 ** 20;
const DISK = 32 * MIB;
/** Where in the disk what was written lies, and how much; MiB. */
const AT = 1;
const SIZE = 8;
const SERIAL = 'vmloom-0123456789';
const FIXED = 'this disk cannot be written';

/**
 * One plan for two boots: the first writes and reboots, the second, which knows itself by the first sector,
 * finds what was written.
 */
const PLAN = `
# Of two transports the one that is not there is not packed.
modprobe virtio_mmio 2> /dev/null
check modprobe modprobe virtio_blk
written() { dd if=/dev/vda bs=1M skip=${AT} count=${SIZE} 2> /dev/null | sha256sum; }
forget() { sync; echo 3 > /proc/sys/vm/drop_caches; }
write() { dd if=/run/data of=/dev/vda bs=64k seek=${(AT * MIB) / 65_536} conv=fsync; }
if [ "$(head -c 6 /dev/vda)" = second ]; then
  show digest-after-reboot written
  finish poweroff -f
fi
show driver readlink /sys/block/vda/device/driver
show serial cat /sys/block/vda/serial
show sectors cat /sys/block/vda/size
show queues ls /sys/block/vda/mq
show cache cat /sys/block/vda/queue/write_cache
head -c ${SIZE * MIB} /dev/urandom > /run/data
show digest sha256sum /run/data
check write write
forget
show digest-of-disk written
check discard blkdiscard -o ${24 * MIB} -l ${MIB} /dev/vda
zeros() { [ $(dd if=/dev/vda bs=1M skip=24 count=1 2> /dev/null | tr -d '\\0' | wc -c) = 0 ]; }
check discarded-reads-zeros zeros
through() { echo 'write through' > /sys/block/vda/cache_type && grep through /sys/block/vda/cache_type; }
check cache-can-be-turned-off through
show read-only cat /sys/block/vdb/ro
show fixed head -c ${FIXED.length} /dev/vdb
refuses() { ! dd if=/dev/zero of=/dev/vdb count=1 conv=fsync; }
check read-only-disk-refuses-writes refuses
check last-sector dd if=/dev/vda of=/dev/null bs=512 skip=${DISK / 512 - 1} count=1
printf second | dd of=/dev/vda conv=fsync,notrunc 2> /dev/null
reboot -f
`;

/** The stock driver on a disk in a file: what is written is read again, after a reboot and by the host too. */
export function virtioBlkTest(
  configuration: Configuration,
  set: GuestTest['set'],
  { packed, queues, outside, transport }: DiskVariant,
): GuestTest {
  const how = `${packed ? 'packed' : 'split'}, ${queues} ${queues === 1 ? 'queue' : 'queues'}`;
  const where = transport === 'mmio' ? ' on virtio-mmio' : '';
  return {
    name: `${nameOf(configuration)}: virtio-blk${where}, ${how}${outside ? ', file outside' : ''}`,
    set,
    run: async (context) => {
      const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
      const file = join(folder, 'disk');
      writeFileSync(file, '');
      truncateSync(file, DISK);
      const store = new FileStore(file, { blocking: !outside });
      const fixed = new OverlayStore(new MemoryStore({ image: new TextEncoder().encode(FIXED) }));
      try {
        const { shown } = await runPlan(context, configuration, PLAN, {
          onReset: 'boot',
          hostTime: outside,
          pack: { modules: ['virtio_blk', ...(transport === 'mmio' ? ['virtio_mmio'] : [])] },
          onMachine: ({ machine }) => {
            const io = machine.world.outside;
            const disk = new VirtioBlk({ store, io, queues, serial: SERIAL });
            const other = new VirtioBlk({ store: fixed, readOnly: true });
            for (const [slot, device] of [disk, other].entries()) {
              const name = ['disk', 'fixed'][slot];
              if (transport === 'mmio') machine.virtio.plug(device, { slot, packed, name });
              else machine.pcie.plug(new VirtioPci({ device, packed, name }));
            }
          },
        });
        const text = (name: string): string => shown.get(name)?.text ?? '';
        const same = (name: string, found: string, expected: string): void =>
          context.report.check(name, found === expected, found);
        same('virtio_blk is the driver', text('driver').split('/').at(-1) ?? '', 'virtio_blk');
        same('sysfs has the serial number', text('serial'), SERIAL);
        same('the capacity is that of the file', text('sectors'), String(DISK / 512));
        same('as many queues as were offered', String(text('queues').split(/\s+/).length), String(queues));
        same('the cache is write-back', text('cache'), 'write back');
        same('the other disk is read-only', text('read-only'), '1');
        same('and holds what the host gave', text('fixed'), FIXED);
        const [digest = ''] = text('digest').split(' ');
        context.report.check('what was written has a digest', /^[0-9a-f]{64}$/.test(digest), digest);
        same('what is read is what was written', text('digest-of-disk').split(' ')[0], digest);
        same('and after a reboot', text('digest-after-reboot').split(' ')[0], digest);
        const bytes = readFileSync(file).subarray(AT * MIB, (AT + SIZE) * MIB);
        same("and in the host's file", createHash('sha256').update(bytes).digest('hex'), digest);
      } finally {
        store.close();
        rmSync(folder, { recursive: true });
      }
    },
  };
}
