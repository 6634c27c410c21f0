import { virtioNic, type VirtioNicOptions } from '../boot/nics.js';
import type { Shown } from '../boot/transcript.js';
import { GATEWAY, nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest, TestContext } from './guest-test.js';
import { HttpPeer } from './http-peer.js';
import { transferWords } from './network-tests.js';

/** virtio 1.3, 6: VIRTIO_F_RING_PACKED. */
const RING_PACKED = 34;
/** What `ethtool -K` turns, as it is asked and as `ethtool -k` names it. */
const TOGGLES = {
  tx: 'tx-checksumming',
  sg: 'scatter-gather',
  tso: 'tcp-segmentation-offload',
  gso: 'generic-segmentation-offload',
  gro: 'generic-receive-offload',
  'rx-gro-hw': 'rx-gro-hw',
  'tx-udp-segmentation': 'tx-udp-segmentation',
} as const;
const CHANNELS = [1, 2, 3, 4];

/** The stock driver binds; DHCP, pings, channels, offloads off and on, and a file both ways in every state. */
export function virtioNetTest(
  configuration: Configuration,
  set: GuestTest['set'],
  options: Required<Omit<VirtioNicOptions, 'platform'>>,
): GuestTest {
  const nic = virtioNic(options);
  return {
    name: `${nameOf(configuration)}: ${nic.name}`,
    set,
    run: async (context) => {
      const length = 1e6;
      const peer = new HttpPeer(length);
      try {
        const port = await peer.listen();
        const plan = netPlan(port, length, options.pairs);
        const pack = { modules: [nic.driver] };
        const bootOptions = { network: true, nic, hostTime: true, patience: 600, pack };
        const { shown } = await runPlan(context, configuration, plan, bootOptions);
        judge(context, shown, options);
        const transfers = 3 + (options.pairs > 1 ? CHANNELS.length : 0);
        const whole = peer.received.filter((body) => body.sha256 === peer.sha256).length;
        context.report.check(
          'the file went round whole each time',
          whole === transfers,
          `${whole} of ${transfers}`,
        );
      } finally {
        peer.close();
      }
    },
  };
}

function netPlan(port: number, length: number, pairs: number): string {
  const words = Object.keys(TOGGLES);
  const turn = (state: 'on' | 'off'): string => words.map((word) => `${word} ${state}`).join(' ');
  const channels = CHANNELS.map(
    (count) => `
check combined-${count} ethtool -L eth0 combined ${count}
show channels-${count} ethtool -l eth0
check transfer-with-${count} transfer`,
  );
  return `
check modprobe modprobe virtio_net
show driver readlink /sys/class/net/eth0/device/driver
show features cat /sys/class/net/eth0/device/features
check dhcp dhcp eth0
check ping /usr/bin/ping -c 3 -W 3 ${GATEWAY}
${transferWords(port, length)}
transfer() { download && upload; }
check transfer transfer
show offloads ethtool -k eth0
check offloads-off ethtool -K eth0 ${turn('off')}
show offloads-off ethtool -k eth0
check transfer-with-offloads-off transfer
check offloads-on ethtool -K eth0 ${turn('on')}
show offloads-on ethtool -k eth0
check transfer-with-offloads-on transfer
${pairs > 1 ? channels.join('\n') : ''}
check remove-driver rmmod virtio_net
check modprobe-again modprobe virtio_net
check dhcp-again dhcp eth0
check ping-again /usr/bin/ping -c 3 -W 3 ${GATEWAY}
show statistics ethtool -S eth0
finish poweroff -f
`;
}

function judge(
  { report }: TestContext,
  shown: ReadonlyMap<string, Shown>,
  { packed, pairs }: Required<Omit<VirtioNicOptions, 'platform'>>,
): void {
  const text = (name: string): string => shown.get(name)?.text ?? '';
  report.check('virtio_net is the driver', /\/virtio_net$/.test(text('driver')), text('driver'));
  const negotiated = text('features')[RING_PACKED];
  report.check(
    `the ring is ${packed ? 'packed' : 'split'}`,
    negotiated === (packed ? '1' : '0'),
    text('features'),
  );
  for (const state of ['off', 'on'] as const) {
    const settings = text(`offloads-${state}`);
    for (const [word, name] of Object.entries(TOGGLES)) {
      const line = new RegExp(`^\\s*${name}: .*$`, 'm').exec(settings)?.[0] ?? '';
      report.check(`ethtool -K ${word} ${state}`, line.includes(`: ${state}`), line);
    }
  }
  if (pairs === 1) return;
  for (const count of CHANNELS) {
    const found = [...text(`channels-${count}`).matchAll(/^Combined:\s+(\d+)$/gm)].map((match) => match[1]);
    report.check(
      `ethtool -l: ${count} of ${pairs} pairs`,
      found[0] === String(pairs) && found[1] === String(count),
      text(`channels-${count}`),
    );
  }
}
