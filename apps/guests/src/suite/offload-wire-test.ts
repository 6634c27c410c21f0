import { connectionsTo, progressOf, type Connection } from './connections.js';
import { GATEWAY, nameOf, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';
import { runCaptured } from './two-captures.js';
import { bytesIn, handedOver, judgeWire, tell, type Verdict } from './wire-verdicts.js';

/** Bytes of the file that goes round in each state. */
const LENGTH = 400_000;
/** Ethernet header and MTU. */
const LARGEST_FRAME = 1514;

/** What is on in a state. The kernel cuts nothing itself that it can hand over, and joins nothing. */
interface State {
  readonly name: string;
  readonly features: string;
  readonly checksums: boolean;
  readonly segmentation: boolean;
}

const STATES: readonly State[] = [
  { name: 'all on', features: 'rx on tx on tso on gso on gro off', checksums: true, segmentation: true },
  { name: 'TSO off', features: 'tso off gso off', checksums: true, segmentation: false },
  { name: 'transmit checksums off', features: 'tx off', checksums: false, segmentation: false },
  { name: 'receive checksums off', features: 'rx off', checksums: false, segmentation: false },
  { name: 'all on again', features: 'rx on tx on tso on gso on', checksums: true, segmentation: true },
];

/**
 * `ethtool -K` of checksums and segmentation, judged by what tcpdump sees in the guest, before the card, and by
 * the host's capture behind it: whoever does the work, the wire is the same.
 */
export function offloadWireTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: checksum and segmentation offload on the wire`,
    set,
    run: async (context) => {
      const plan = `
check dhcp dhcp eth0
check sniff sniff
${STATES.map(({ features }, index) => `check state-${index} turn ${features}\ncheck transfer-${index} transfer`).join('\n')}
`;
      const words = 'transfer() { download && upload; }\n';
      const { guest, host, peer } = await runCaptured(context, configuration, {
        length: LENGTH,
        plan: `${words}${plan}`,
      });
      const { report } = context;
      const whole = peer.received.filter(({ sha256 }) => sha256 === peer.sha256).length;
      report.check('the file went round whole in each state', whole === STATES.length, `${whole}`);
      const [seen, passed] = [guest, host].map((frames) => connectionsTo(GATEWAY, frames));
      const count = 2 * STATES.length;
      const both = seen.length >= count && passed.length >= count;
      report.check('both captures have every transfer', both, `${seen.length} and ${passed.length}`);
      STATES.forEach((state, index) => {
        // The file comes by one connection and goes by the next.
        const judged = ['down', 'up'].flatMap((way, number) => {
          const [inGuest, onWire] = [seen, passed].map((all) => all[2 * index + number]);
          if (inGuest === undefined || onWire === undefined) return [];
          return judge(state, inGuest, onWire).map((verdict) => ({ ...verdict, way }));
        });
        tell(report, state.name, judged);
      });
    },
  };
}

function judge(state: State, guest: Connection, wire: Connection): Verdict[] {
  const verdicts = judgeWire(wire, LARGEST_FRAME);
  const check = (what: string, passed: boolean, detail: string): void =>
    void verdicts.push({ what, passed, detail });
  if (LENGTH < bytesIn(wire.sent)) verdicts.push(handedOver(guest, wire, state.segmentation));
  const unsound = guest.sent.filter(({ tcp }) => !tcp.sound).length;
  check(
    state.checksums ? 'the kernel leaves checksums to the card' : 'the kernel sums itself',
    state.checksums ? unsound === guest.sent.length : unsound === 0,
    `${unsound} of ${guest.sent.length} segments have none`,
  );
  const [pushed, pushedOnWire] = [guest, wire].map(({ sent }) => progressOf(sent).pushes);
  check(
    'PSH comes with the last byte of what was handed over with it, and nowhere else',
    pushed.join() === pushedOnWire.join(),
    `${pushed.length} and ${pushedOnWire.length}`,
  );
  const [arrived, passed] = [guest, wire].map((one) => one.received.map(({ tcp }) => tcp.data.length));
  check('what passes arrives', arrived.join() === passed.join(), `${arrived.length} and ${passed.length}`);
  const wrong = guest.received.filter(({ tcp, ip }) => !tcp.sound || !ip.sound).length;
  check('what arrives has right checksums', wrong === 0, `${wrong} wrong`);
  return verdicts;
}
