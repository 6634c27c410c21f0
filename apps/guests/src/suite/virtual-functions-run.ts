import { Igb } from '@vmloom/igb';
import { RootPort } from '@vmloom/pci';
import type { BootResult } from '../boot/boot.js';
import type { Nic } from '../boot/nics.js';
import { runPlan, type Configuration } from './debian-run.js';
import type { TestContext } from './guest-test.js';

/** The card below a root port, which forwards ARI for the virtual functions. */
const ROOTED_IGB: Nic = {
  name: 'igb below a root port',
  driver: 'igb',
  qemu: 'igb',
  make: (port, mac) => {
    const root = new RootPort();
    root.plug(new Igb({ port, mac }));
    return root;
  },
};

/** All that igb enables: it keeps one of the card's eight pools. */
export const FUNCTIONS = 7;

/** Seconds of wall time; a quiet machine needs a tenth of it. */
const PATIENCE = 900;

/** The physical function alone, under igb, with an address. */
const CARD = `
mkdir -p /var && ln -s /run /var/run
IP=/usr/bin/ip PING=/usr/bin/ping CARD=/sys/class/net/eth0/device
n() { vf=$1; shift; $IP netns exec n$vf "$@"; }
refuses() { ! "$@"; }
modprobe igb
within 10 test -e /sys/class/net/eth0
check dhcp dhcp eth0
`;

/**
 * All virtual functions under igbvf. The first three have a fixed address, and each is in a network namespace of
 * its own, so that frames between them pass the card: `n VF COMMAND` runs a command there. The shell has an `ip`
 * of its own, hence the path.
 */
const ALL_FUNCTIONS = `
check enable sh -c 'echo ${FUNCTIONS} > /sys/class/net/eth0/device/sriov_numvfs'
# Before the functions' driver, which asks for its address only when it binds.
for vf in 0 1 2; do $IP link set eth0 vf $vf mac 02:00:00:00:00:1$vf; done
modprobe igbvf
within 10 test -e /sys/class/net/eth${FUNCTIONS}
bound() { test $(ls -d /sys/bus/pci/drivers/igbvf/0000:* | wc -l) = ${FUNCTIONS}; }
check seven-bound bound
for vf in 0 1 2; do
  $IP netns add n$vf
  $IP link set eth$((vf + 1)) netns n$vf
  $IP -n n$vf link set eth$((vf + 1)) name port
  $IP -n n$vf addr add 10.0.9.1$vf/24 dev port
  $IP -n n$vf link set port up
done
$IP addr add 10.0.9.100/24 dev eth0
sleep 3
`;

/** Boots with an 82576 below a root port and runs `plan` once its functions are as asked. */
export function runWithFunctions(
  context: TestContext,
  configuration: Configuration,
  plan: string,
  functions: 'none' | 'all',
): Promise<BootResult> {
  const whole = `${CARD}${functions === 'all' ? ALL_FUNCTIONS : ''}${plan}finish poweroff -f\n`;
  return runPlan(context, configuration, whole, {
    network: true,
    nic: ROOTED_IGB,
    memory: '256MiB',
    patience: PATIENCE,
    pack: {
      modules: ['igb', 'igbvf', 'pktgen'],
      programs: [
        { package: 'iperf3', path: 'usr/bin/iperf3' },
        // The C library loads it when a thread of iperf3 is cancelled; no ELF header says so.
        { package: 'libgcc-s1', path: 'usr/lib/riscv64-linux-gnu/libgcc_s.so.1' },
        { package: 'pciutils', path: 'usr/bin/lspci' },
      ],
    },
  });
}
