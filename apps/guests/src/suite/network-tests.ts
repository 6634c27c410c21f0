import type { EventOwner } from '@vmloom/device';
import type { LiveMachine } from '../boot/boot.js';
import { E1000_NIC, type Nic } from '../boot/nics.js';
import { GATEWAY, nameOf, runPlan, type Configuration } from './debian-run.js';
import { counters, registers } from './ethtool.js';
import type { GuestTest } from './guest-test.js';
import { HttpPeer } from './http-peer.js';

/** 8254x manual 13.4.1: VLAN mode. */
const CTRL_VME = 1 << 30;
const LINK_CYCLES = 20;
/** Virtual nanoseconds of each state of the link: longer than the driver's look at it every two seconds. */
const LINK_TIME = 3e9;

/** A file from the host's HTTP server and back to it through the address translator, digests equal both ways. */
export function transferTest(
  configuration: Configuration,
  set: GuestTest['set'],
  megabytes: number,
  nic: Nic = E1000_NIC,
): GuestTest {
  const by = nic === E1000_NIC ? 'HTTP' : `HTTP over ${nic.name}`;
  return {
    name: `${nameOf(configuration)}: ${megabytes} MB by ${by} both ways`,
    set,
    run: async (context) => {
      const length = megabytes * 1e6;
      const peer = new HttpPeer(length);
      try {
        const port = await peer.listen();
        const plan = `
modprobe ${nic.driver}
check dhcp dhcp eth0
${transferWords(port, length)}
check download download
show digest sha256sum /run/file
check upload upload
finish poweroff -f
`;
        // The file lies in the guest's memory between its two ways.
        const memory = `${128 + Math.ceil((1.5 * megabytes) / 16) * 16}MiB`;
        const pack = { modules: [nic.driver] };
        const options = { network: true, nic, hostTime: true, memory, patience: 600, pack };
        const { shown } = await runPlan(context, configuration, plan, options);
        const digest = shown.get('digest')?.text ?? 'nothing';
        const { report } = context;
        report.check('what came down is what the server gave', digest.startsWith(peer.sha256), digest);
        const received = peer.received[0];
        report.check(
          'what went up is what the guest had',
          received?.sha256 === peer.sha256 && received.length === length,
          `${received?.length ?? 'no'} bytes`,
        );
      } finally {
        peer.close();
      }
    },
  };
}

/** Shell functions that fetch a file from the host's server, and send it back. */
export function transferWords(port: number, length: number): string {
  const header = `PUT /file HTTP/1.0\\r\\nContent-Length: ${length}\\r\\n\\r\\n`;
  return `
mount -t tmpfs -o size=90% tmpfs /run
download() { wget -q -O /run/file http://${GATEWAY}:${port}/file; }
upload() { { printf '${header}'; cat /run/file; } | nc ${GATEWAY} ${port} | grep taken; }
`;
}

/** Counters of the device that move only when an offload is at work. */
const SEGMENTED = 'tx_tcp_seg_good';
const CHECKED = 'rx_csum_offload_good';

/** `ethtool -K` turns the offloads off and on: the device's counters show it, and the data stay whole. */
export function offloadTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: offloads off and on`,
    set,
    run: async (context) => {
      const length = 1e6;
      const peer = new HttpPeer(length);
      try {
        const plan = `
modprobe e1000
check dhcp dhcp eth0
${transferWords(await peer.listen(), length)}
carrier_is() { [ "$(cat /sys/class/net/eth0/carrier)" = $1 ]; }
transfer() { within 10 carrier_is 1 && download && upload; }
# The driver begins with receive checksums at work and says that they are off: turned on, both agree.
turn() { ethtool -K eth0 rx $1 tx $1 tso $1 gso $1 && within 10 carrier_is 1 && ethtool -K eth0 rxvlan $1; }
check turn-on-first turn on
check transfer-first transfer
show first ethtool -S eth0
check turn-off turn off
show off-before ethtool -S eth0
check transfer-with-offloads-off transfer
show off-after ethtool -S eth0
show registers-off ethtool -d eth0
check turn-on turn on
show on-before ethtool -S eth0
check transfer-with-offloads-on transfer
show on-after ethtool -S eth0
show registers-on ethtool -d eth0
finish poweroff -f
`;
        const options = { network: true, hostTime: true, patience: 600 };
        const { shown } = await runPlan(context, configuration, plan, options);
        const { report } = context;
        const text = (name: string): string => shown.get(name)?.text ?? '';
        const value = (name: string, counter: string): number => counters(text(name)).get(counter) ?? NaN;
        for (const counter of [SEGMENTED, CHECKED]) {
          const first = value('first', counter);
          report.check(`${counter} moves at first`, first > 0, `${first}`);
          const off = value('off-after', counter) - value('off-before', counter);
          report.check(`${counter} stands still when off`, off === 0, `${off}`);
          const on = value('on-after', counter) - value('on-before', counter);
          report.check(`${counter} moves when on`, on > 0, `${on}`);
        }
        const vme = (name: string): number => (registers(text(name)).get('CTRL') ?? 0) & CTRL_VME;
        const tags = `CTRL & VME is ${vme('registers-off')} and ${vme('registers-on')}`;
        report.check(
          'CTRL.VME follows rxvlan',
          vme('registers-off') === 0 && vme('registers-on') !== 0,
          tags,
        );
        const whole = peer.received.filter((body) => body.sha256 === peer.sha256).length;
        report.check('the file went round whole each time', whole === 3, `${whole} of 3`);
      } finally {
        peer.close();
      }
    },
  };
}

/** The host pulls the plug and puts it back while the guest pings. */
export function linkTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  const seconds = Math.ceil((2 * LINK_CYCLES * LINK_TIME) / 1e9) + 5;
  const plan = `
modprobe e1000
check dhcp dhcp eth0
carrier_is() { [ "$(cat /sys/class/net/eth0/carrier)" = $1 ]; }
echo "link cycles begin"
timeout -s INT ${seconds} /usr/bin/ping -q -i 0.2 ${GATEWAY} > /run/ping
show pings cat /run/ping
show carrier-changes cat /sys/class/net/eth0/carrier_changes
check link-is-up-again within 10 carrier_is 1
check ping-after /usr/bin/ping -c 3 -W 3 ${GATEWAY}
finish poweroff -f
`;
  return {
    name: `${nameOf(configuration)}: ${LINK_CYCLES} cycles of the link`,
    set,
    run: async (context) => {
      const options = { network: true, patience: 600, onMachine: pullThePlug };
      const { shown } = await runPlan(context, configuration, plan, options);
      const changes = Number(shown.get('carrier-changes')?.text ?? 0);
      const least = 2 * LINK_CYCLES;
      context.report.check('the driver saw every change', changes >= least, `${changes} of ${least}`);
      const pings = /(\d+) packets transmitted, (\d+) received/.exec(shown.get('pings')?.text ?? '');
      const [sent, received] = [Number(pings?.[1] ?? 0), Number(pings?.[2] ?? 0)];
      context.report.check(
        'pings come through while the link is up and only then',
        received > sent / 4 && received < (sent * 3) / 4,
        `${received} of ${sent}`,
      );
    },
  };
}

function pullThePlug({ machine, nat }: LiveMachine): void {
  const { clock } = machine.world;
  let changes = 0;
  const hand: EventOwner = {
    name: 'hand',
    onEvent: () => {
      nat!.link.up = changes % 2 === 1;
      if (++changes < 2 * LINK_CYCLES) clock.after(hand, 'pull', LINK_TIME);
    },
  };
  clock.register(hand);
  void machine.console.waitFor(/link cycles begin/).then(
    () => clock.after(hand, 'pull', LINK_TIME),
    () => undefined,
  );
}
