import type { EventOwner } from '@vmloom/device';
import type { LiveMachine } from '../boot/boot.js';
import { GATEWAY, nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';
import { HttpPeer } from './http-peer.js';

const LINK_CYCLES = 20;
/** Virtual nanoseconds of each state of the link: longer than the driver's look at it every two seconds. */
const LINK_TIME = 3e9;

/** A file from the host's HTTP server and back to it through the address translator, digests equal both ways. */
export function transferTest(
  configuration: Configuration,
  set: GuestTest['set'],
  megabytes: number,
): GuestTest {
  return {
    name: `${nameOf(configuration)}: ${megabytes} MB by HTTP both ways`,
    set,
    run: async (context) => {
      const length = megabytes * 1e6;
      const peer = new HttpPeer(length);
      try {
        const port = await peer.listen();
        const plan = `
modprobe e1000
check dhcp dhcp eth0
mount -t tmpfs -o size=90% tmpfs /tmp
check download wget -q -O /tmp/file http://${GATEWAY}:${port}/file
show digest sha256sum /tmp/file
upload() {
  { printf 'PUT /file HTTP/1.0\\r\\nContent-Length: ${length}\\r\\n\\r\\n'; cat /tmp/file; } | nc ${GATEWAY} ${port} | grep taken
}
check upload upload
finish poweroff -f
`;
        // The file lies in the guest's memory between its two ways.
        const memory = `${128 + Math.ceil((1.5 * megabytes) / 16) * 16}MiB`;
        const options = { network: true, hostTime: true, memory, patience: 600 };
        const { shown } = await runPlan(context, configuration, plan, options);
        const digest = shown.get('digest')?.text ?? 'nothing';
        const { report } = context;
        report.check('what came down is what the server gave', digest.startsWith(peer.sha256), digest);
        const { received } = peer;
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

/** The host pulls the plug and puts it back while the guest pings. */
export function linkTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  const seconds = Math.ceil((2 * LINK_CYCLES * LINK_TIME) / 1e9) + 5;
  const plan = `
modprobe e1000
check dhcp dhcp eth0
carrier_is() { [ "$(cat /sys/class/net/eth0/carrier)" = $1 ]; }
echo "link cycles begin"
/usr/bin/ping -q -i 0.2 -w ${seconds} ${GATEWAY} > /tmp/ping
show pings cat /tmp/ping
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
