import { bootArgs, guestImage } from '@vmloom/guest';
import { boot } from '../boot/boot.js';
import type { GuestTest } from './guest-test.js';

const GATEWAY = '10.0.2.2';

/** The committed guest: it needs no download. */
export const tinyTest: GuestTest = {
  name: 'tiny guest',
  set: 'smoke',
  run: async ({ report, keepLog }) => {
    const cmd = ['wait-link', 'ip', `ping -c 3 -i 10 ${GATEWAY}`, 'poweroff'];
    const { log, exit } = await boot({
      kernel: await guestImage('tiny'),
      append: bootArgs({ ip: 'dhcp', cmd }),
      memory: '32MiB',
      network: true,
      patience: 60,
    });
    keepLog(log);
    report.check('gets an address by DHCP', /10\.0\.2\.15/.test(log), log.slice(-300));
    report.check('the gateway answers its pings', /ping: 3 sent, 3 received/.test(log), log.slice(-300));
    report.check('poweroff ends it with status 0', exit?.reason === 'power-off' && exit.code === 0);
  },
};
