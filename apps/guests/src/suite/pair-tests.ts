import { bootPair } from '../boot/boot-pair.js';
import { debian, withPlan } from '../boot/initramfs.js';
import { E1000_NIC, type Nic } from '../boot/nics.js';
import type { KernelSeries } from '../kernel.js';
import { APPEND, checkEnd } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

const FIRST = '10.1.0.1';
const SECOND = '10.1.0.2';
/** Virtual seconds for a whole transfer. */
const LONG = 1200;

/** The network by hand, and a web server for what lies in /run/www. */
function begin(driver: string, address: string, peer: string): string {
  return `
mount -t tmpfs -o size=90% tmpfs /run
mkdir /run/www
modprobe ${driver}
carrier_is() { [ "$(cat /sys/class/net/eth0/carrier)" = $1 ]; }
ip addr add ${address}/24 dev eth0
ip link set eth0 up
check link within 10 carrier_is 1
httpd -h /run/www
fetch() { wget -q -O /run/$2 http://${peer}/$1; }
await() { for try in $(seq ${LONG / 2}); do fetch $1 $1 && return; sleep 2; done; return 1; }
check the-other-is-there within 120 /usr/bin/ping -c 1 -W 1 ${peer}
check ping /usr/bin/ping -c 5 -i 0.2 -W 3 ${peer}
`;
}

/**
 * A file of random bytes from one Debian guest to another on the switch, and back: three digests are one. The
 * words `ready` and `done`, each an empty file, keep the two in step.
 */
export function pairTest(
  series: KernelSeries,
  set: GuestTest['set'],
  megabytes: number,
  nic: Nic = E1000_NIC,
): GuestTest {
  const by = nic === E1000_NIC ? '' : `, ${nic.name}`;
  return {
    name: `Debian ${series}, two guests on a switch${by}: ${megabytes} MB each way`,
    set,
    run: async ({ report, update, keepLog }) => {
      const first = `${begin(nic.driver, FIRST, SECOND)}
check make-file sh -c 'head -c ${megabytes * 1e6} /dev/urandom > /run/file && mv /run/file /run/www/file'
show digest sha256sum /run/www/file
check the-other-has-it await ready
rm /run/www/file
check fetch-back fetch file file
show digest-back sha256sum /run/file
touch /run/www/done
check the-other-is-done await done
finish poweroff -f
`;
      const second = `${begin(nic.driver, SECOND, FIRST)}
check fetch within ${LONG} fetch file file
show digest sha256sum /run/file
mv /run/file /run/www/file
touch /run/www/ready
check the-other-is-done await done
touch /run/www/done
# The first asks every two seconds whether this one is done.
sleep 5
finish poweroff -f
`;
      const { kernel, root } = debian(series, { update, modules: [nic.driver] });
      const results = await bootPair({
        kernel,
        nic,
        initrds: [withPlan(root, first), withPlan(root, second)],
        append: APPEND,
        // The file lies in each guest's memory.
        memory: `${128 + Math.ceil((1.5 * megabytes) / 16) * 16}MiB`,
        patience: 900,
      });
      for (const [index, result] of results.entries()) {
        keepLog(result.log);
        checkEnd(report, result, ['first: ', 'second: '][index]);
      }
      const digest = (index: 0 | 1, name: string): string =>
        results[index].shown.get(name)?.text.split(' ')[0] ?? 'nothing';
      const made = digest(0, 'digest');
      report.check('the file has a digest', /^[0-9a-f]{64}$/.test(made), made);
      report.check('the second has what the first gave', digest(1, 'digest') === made, digest(1, 'digest'));
      const back = digest(0, 'digest-back');
      report.check('the first has back what it gave', back === made, back);
    },
  };
}
