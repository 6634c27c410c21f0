import { FileStore } from '@vmloom/virtio/node';
import { OverlayStore, VirtioBlk } from '@vmloom/virtio';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boot, type LiveMachine } from '../boot/boot.js';
import type { GuestTest } from './guest-test.js';

/** As xv6's own Makefile starts QEMU. */
const HARTS = 3;
/** Seconds of the wall's clock and of the machine's for all of usertests. */
const PATIENCE = 3000;
const LONGEST = 6000;
const PASSED = 'ALL TESTS PASSED';

/**
 * xv6 for RISC-V, whose driver of virtio-mmio is not Linux's: `usertests -q` from power-on. It is no package of
 * Debian, so the environment variable `VMLOOM_XV6` names a folder in which it was built.
 */
export const xv6Test: GuestTest = {
  name: 'xv6: usertests',
  set: 'full',
  run: async ({ report, keepLog }) => {
    const folder = process.env['VMLOOM_XV6'] ?? '';
    const [kernel, image] = [join(folder, 'kernel', 'kernel'), join(folder, 'fs.img')];
    if (folder === '' || !existsSync(kernel) || !existsSync(image)) {
      return report.note('left out. VMLOOM_XV6 names no folder with kernel/kernel and fs.img of xv6-riscv');
    }
    const file = new FileStore(image, { blocking: true, readOnly: true });
    try {
      const { log, seconds, instructions } = await boot({
        kernel: new Uint8Array(readFileSync(kernel)),
        append: '',
        firmware: 'none',
        harts: HARTS,
        patience: PATIENCE,
        longest: LONGEST,
        onMachine: (live) => {
          const device = new VirtioBlk({ store: new OverlayStore(file) });
          live.machine.virtio.plug(device, { slot: 0 });
          typeInto(live).catch(() => undefined);
        },
      });
      keepLog(log);
      report.check('boots to its shell', log.includes('init: starting sh'), log.slice(-300));
      report.check(PASSED, log.includes(PASSED), log.slice(-300));
      const failed = log.split('\n').filter((line) => /FAILED|panic/.test(line));
      report.check('no test failed', failed.length === 0, failed.join(' | '));
      report.note(`${(instructions / 1e6).toFixed(0)} million instructions in ${seconds.toFixed(1)} s`);
    } finally {
      file.close();
    }
  },
};

/** The command, and the end of the run when there is a verdict. Patience ends one without. */
async function typeInto({ machine: { console }, stop }: LiveMachine): Promise<void> {
  try {
    await console.waitFor(/\$ $/);
    console.send('usertests -q\n');
    await console.waitFor(new RegExp(`${PASSED}|SOME TESTS FAILED|panic`));
  } finally {
    stop();
  }
}
