import { SeededEntropy, VirtioPci, VirtioRng } from '@vmloom/virtio';
import type { DevicePart } from './device-part.js';

const BYTES = 4096;

/** The stock driver feeds `/dev/hwrng`. */
export function rngPart(): DevicePart {
  return {
    modules: ['virtio-rng'],
    plan: `
check rng-modprobe modprobe virtio-rng
show rng cat /sys/class/misc/hw_random/rng_current
show rng-bytes sh -c 'head -c ${BYTES} /dev/hwrng | od -v -An -tx1'
`,
    plug: ({ machine }) => {
      const device = new VirtioRng({ source: new SeededEntropy(), io: machine.world.outside });
      machine.pcie.plug(new VirtioPci({ device, packed: true }));
    },
    judge: (report, text) => {
      report.check('virtio_rng is the source', /^virtio_rng/.test(text('rng')), text('rng'));
      const bytes = text('rng-bytes').split(/\s+/);
      report.check(`/dev/hwrng gives ${BYTES} bytes`, bytes.length === BYTES, `${bytes.length}`);
      const different = new Set(bytes).size;
      report.check('of every value', different === 256, `${different} values`);
    },
  };
}
