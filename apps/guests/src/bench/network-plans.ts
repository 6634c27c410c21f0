import { GuestsError } from '../error.js';
import type { Transcript } from '../boot/transcript.js';
import type { Program } from '../userland.js';

/** What the plans need beside what every file system has. */
export const NETWORK_BENCH_PROGRAMS: readonly Program[] = [
  { package: 'iperf3', path: 'usr/bin/iperf3' },
  // The C library loads it when a thread of iperf3 is cancelled; no ELF header says so.
  { package: 'libgcc-s1', path: 'usr/lib/riscv64-linux-gnu/libgcc_s.so.1' },
];
export const NETWORK_BENCH_MODULES = ['pktgen'];

/** Rates between two guests, by round; NaN where one gave none. */
export interface NetworkRates {
  /** What the receiver got, Mb/s: from the guest that measures to the other, and back. */
  readonly tcpOut: readonly number[];
  readonly tcpIn: readonly number[];
  /** Datagrams of 18 bytes that came to the other, 1000/s. */
  readonly udp: readonly number[];
  /** Frames of 60 bytes that pktgen sent, and those that the other's driver took, 1000/s. */
  readonly pktgenSent: readonly number[];
  readonly pktgenTaken: readonly number[];
}

export interface NetworkPlanOptions {
  /** Module of the NICs. */
  readonly driver: string;
  /** Of each measurement, in seconds of the guest's clock. */
  readonly seconds: number;
  /** How often all is measured. */
  readonly rounds: number;
  /** Station address of the other's NIC, for pktgen. */
  readonly station: string;
}

const MEASURING = '10.1.0.1';
const SERVING = '10.1.0.2';

const interfaceUp = (name: string, address: string): string => `
ip addr add ${address}/24 dev ${name}
ip link set ${name} up
`;

/** The other's server for iperf3, and one that tells how many frames its driver took. */
const serve = (name: string): string => `
mkdir -p /run/www/cgi-bin
cat > /run/www/cgi-bin/taken << 'END'
#!/usr/bin/busybox sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
exec /usr/bin/busybox cat /sys/class/net/${name}/statistics/rx_packets
END
cat > /run/www/cgi-bin/off << 'END'
#!/usr/bin/busybox sh
touch /run/off
printf 'Content-Type: text/plain\\r\\n\\r\\noff'
END
chmod +x /run/www/cgi-bin/*
httpd -h /run/www
iperf3 -4 -s > /run/iperf3.log 2>&1 &
`;

const measure = ({ seconds, rounds, station }: NetworkPlanOptions): string => `
ask() { wget -q -O - http://${SERVING}/cgi-bin/$1; }
check the-other-is-there within 240 /usr/bin/ping -c 1 -W 1 ${SERVING}
check its-servers-are-up within 60 ask taken
iperf() { within 10 iperf3 -c ${SERVING} -J -i 0 -t ${seconds} "$@"; }
modprobe pktgen
pktgen() {
  p=/proc/net/pktgen
  echo rem_device_all > $p/kpktgend_0
  echo add_device eth0 > $p/kpktgend_0
  for word in 'count 0' 'pkt_size 60' 'delay 0' 'dst ${SERVING}' 'dst_mac ${station}'; do
    echo "$word" > $p/eth0
  done
  echo "before $(ask taken)"
  { echo start > $p/pgctrl; } &
  sleep ${seconds}
  echo stop > $p/pgctrl
  wait $!
  echo "behind $(ask taken)"
  cat $p/eth0
}
for round in $(seq ${rounds}); do
  show tcp-out-$round iperf
  show tcp-in-$round iperf -R
  show udp-$round iperf -u -b 0 -l 18
  show pktgen-$round pktgen
done
ask off
finish poweroff -f
`;

/** What the two guests do: the first measures, the second serves. */
export function networkPlans(options: NetworkPlanOptions): readonly [string, string] {
  return [
    `modprobe ${options.driver}\n${interfaceUp('eth0', MEASURING)}${measure(options)}`,
    `modprobe ${options.driver}\n${interfaceUp('eth0', SERVING)}${serve('eth0')}
until [ -e /run/off ]; do sleep 1; done
sleep 1
show iperf3-server cat /run/iperf3.log
finish poweroff -f
`,
  ];
}

/** The same in one guest with two NICs, of which the second is in a network namespace of its own. */
export function networkPlanOfOne(options: NetworkPlanOptions): string {
  return `
modprobe ${options.driver}
# busybox's own ip knows no namespaces.
mkdir -p /var /run/netns
ln -s /run /var/run
/usr/bin/ip netns add other
/usr/bin/ip link set eth1 netns other
cat > /run/other << 'OTHER'
ip link set lo up
${interfaceUp('eth1', SERVING)}${serve('eth1')}
OTHER
/usr/bin/ip netns exec other sh /run/other
${interfaceUp('eth0', MEASURING)}${measure(options)}`;
}

/** What the measuring guest calls its measurements, with the number of the round behind it. */
export const MEASUREMENTS: Readonly<Record<keyof NetworkRates, string>> = {
  tcpOut: 'tcp-out',
  tcpIn: 'tcp-in',
  udp: 'udp',
  pktgenSent: 'pktgen',
  pktgenTaken: 'pktgen',
};

/** The rates that the measuring guest showed. @throws GuestsError bad-figures when none of a kind is there */
export function networkRates({ shown }: Transcript, rounds: number): NetworkRates {
  const each = (key: keyof NetworkRates, read: (text: string) => number): number[] => {
    const name = MEASUREMENTS[key];
    const found = Array.from({ length: rounds }, (_, index) => shown.get(`${name}-${index + 1}`));
    const rates = found.map((one) => (one?.exitCode === 0 ? read(one.text) : NaN));
    if (rates.some((rate) => Number.isFinite(rate))) return rates;
    throw new GuestsError('bad-figures', `${name}: ${found[0]?.text.slice(-300) ?? 'nothing'}`);
  };
  return {
    tcpOut: each('tcpOut', receivedMegabits),
    tcpIn: each('tcpIn', receivedMegabits),
    udp: each('udp', receivedDatagrams),
    pktgenSent: each('pktgenSent', sentFrames),
    pktgenTaken: each('pktgenTaken', takenFrames),
  };
}

interface Iperf3 {
  readonly end?: {
    readonly sum_received?: Readonly<Record<string, number>>;
  };
}

function iperf3(text: string): Readonly<Record<string, number>> {
  // An attempt that failed before shows its own object, so the last one counts.
  const start = text.lastIndexOf('\n{') + 1;
  try {
    return (JSON.parse(text.slice(start)) as Iperf3).end?.sum_received ?? {};
  } catch {
    return {};
  }
}

/** Mb/s that the receiver of iperf3's TCP test got. */
export function receivedMegabits(text: string): number {
  return iperf3(text)['bits_per_second'] / 1e6;
}

/** 1000 datagrams a second that the receiver of iperf3's UDP test got. */
export function receivedDatagrams(text: string): number {
  const { packets, lost_packets: lost, seconds } = iperf3(text);
  return (packets - lost) / seconds / 1e3;
}

/** 1000 frames a second, from pktgen's result. */
export function sentFrames(text: string): number {
  return Number(/(\d+)pps/.exec(text)?.[1] ?? NaN) / 1e3;
}

/** 1000 frames a second that the other's driver counted over the time of pktgen's run. */
export function takenFrames(text: string): number {
  const count = (word: string): number => Number(new RegExp(`^${word} (\\d+)$`, 'm').exec(text)?.[1] ?? NaN);
  const microseconds = Number(/Result: OK: (\d+)\(/.exec(text)?.[1] ?? NaN);
  return ((count('behind') - count('before')) / microseconds) * 1e3;
}
