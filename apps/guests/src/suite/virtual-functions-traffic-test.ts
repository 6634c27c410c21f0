import { GATEWAY, nameOf, type Configuration } from './debian-run.js';
import { counters } from './ethtool.js';
import type { GuestTest } from './guest-test.js';
import { runWithFunctions } from './virtual-functions-run.js';

const PACKETS = 200;
/** Mbit/s, on the wire. */
const RATE = 50;
const PAYLOAD = 1400;
/** Ethernet, IP and UDP headers, and what a frame takes beside its bytes. */
const OVERHEAD = 14 + 20 + 8 + 24;

const TRAFFIC = `
check address n 0 grep -q 02:00:00:00:00:10 /sys/class/net/port/address
check pf-to-vf $PING -c 2 -W 1 10.0.9.11
check vf-to-pf n 1 $PING -c 2 -W 1 10.0.9.100
check vf-to-vf n 1 $PING -c 2 -W 1 10.0.9.12
n 2 $IP addr add 10.0.2.77/24 dev port
check vf-to-wire n 2 $PING -c 2 -W 1 ${GATEWAY}
show lspci lspci -n -s 01:10.2
show vector n 1 grep port /proc/interrupts
`;

const SETTINGS = `
$IP link set eth0 vf 1 vlan 30
check vlan-isolates refuses n 1 $PING -c 2 -W 1 10.0.9.12
$IP link set eth0 vf 2 vlan 30
check vlan-joins n 1 $PING -c 2 -W 1 10.0.9.12
check vlan-keeps-pf-out refuses $PING -c 2 -W 1 10.0.9.11
show settings $IP -c=never link show eth0
$IP link set eth0 vf 1 vlan 0
$IP link set eth0 vf 2 vlan 0
sleep 2
check vlan-taken-away n 1 $PING -c 2 -W 1 10.0.9.12

modprobe pktgen
cat > /run/generate <<'END'
PG=/proc/net/pktgen
echo rem_device_all > $PG/kpktgend_0
echo add_device port > $PG/kpktgend_0
for word in "count ${PACKETS}" "pkt_size 60" "dst 10.0.9.12" "dst_mac 02:00:00:00:00:12" "src_mac $1"; do
  echo "$word" > $PG/port
done
echo start > $PG/pgctrl
END
# The driver takes the card's counters every other second.
looped() { sleep 3; n 2 ethtool -S port; }
show spoof-before looped
n 1 sh /run/generate 02:00:00:00:00:11
show spoof-own looped
n 1 sh /run/generate 02:00:00:00:00:99
show spoof-other looped
$IP link set eth0 vf 1 spoofchk off
n 1 sh /run/generate 02:00:00:00:00:99
show spoof-unchecked looped
$IP link set eth0 vf 1 spoofchk on

check rate-set $IP link set eth0 vf 1 max_tx_rate ${RATE}
n 2 iperf3 -s -D
show rate n 1 iperf3 -c 10.0.9.12 -u -b 200M -l ${PAYLOAD} -t 2 -f k
$IP link set eth0 vf 1 max_tx_rate 0
show state $IP link set eth0 vf 1 state disable
`;

/** Stock igb with seven stock igbvf: traffic, and what `ip link set vf` does to it. */
export function virtualFunctionsTrafficTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: igb and seven igbvf, traffic`,
    set,
    run: async (context) => {
      const { shown } = await runWithFunctions(context, configuration, `${TRAFFIC}${SETTINGS}`, 'all');
      const { report } = context;
      const text = (name: string): string => shown.get(name)?.text ?? '';
      report.check('lspci knows the function', /8086:10ca/.test(text('lspci')), text('lspci'));
      report.check('a function has its own vectors', /MSI/.test(text('vector')), text('vector'));
      const settings = /vf 1\s.*02:00:00:00:00:11.*vlan 30.*spoof checking on/.test(text('settings'));
      report.check('ip link shows what was set', settings, text('settings'));
      const looped = (name: string): number => counters(text(name)).get('lbrx_packets') ?? NaN;
      const before = looped('spoof-before');
      const own = looped('spoof-own');
      const other = looped('spoof-other');
      const unchecked = looped('spoof-unchecked');
      // Neighbour discovery may add a few.
      const about = (value: number, wanted: number): boolean => value >= wanted && value < wanted + 10;
      report.check('frames from its own address arrive', about(own - before, PACKETS), `${own - before}`);
      report.check('frames from another do not', about(other - own, 0), `${other - own}`);
      report.check('unchecked they do', about(unchecked - other, PACKETS), `${unchecked - other}`);
      const payload = Number(/([\d.]+) Kbits\/sec.*receiver/.exec(text('rate'))?.[1] ?? NaN) / 1000;
      const rate = (payload * (PAYLOAD + OVERHEAD)) / PAYLOAD;
      report.check(
        `${RATE} Mbit/s within 5 %`,
        Math.abs(rate / RATE - 1) < 0.05,
        `${rate.toFixed(2)} Mbit/s`,
      );
      const refused = /not supported/.test(text('state'));
      report.check('igb says that it sets no link state of its functions', refused, text('state'));
    },
  };
}
