import { progressOf, type Connection } from './connections.js';
import { nameOf, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';
import { runStates, type WireState } from './wire-states.js';
import type { Verdict } from './wire-verdicts.js';

/** Bytes of the file that goes round in each state. */
const LENGTH = 400_000;
/** Ethernet header and MTU. */
const LARGEST_FRAME = 1514;

/** What is on in a state. The kernel cuts nothing itself that it can hand over, and joins nothing. */
interface State extends WireState {
  readonly checksums: boolean;
}

const STATES: readonly State[] = [
  { name: 'all on', features: 'rx on tx on tso on gso on gro off', checksums: true, segmentation: true },
  { name: 'TSO off', features: 'tso off gso off', checksums: true, segmentation: false },
  { name: 'transmit checksums off', features: 'tx off', checksums: false, segmentation: false },
  { name: 'receive checksums off', features: 'rx off', checksums: false, segmentation: false },
  { name: 'all on again', features: 'rx on tx on tso on gso on', checksums: true, segmentation: true },
];

/** `ethtool -K` of checksums and segmentation. */
export function offloadWireTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: checksum and segmentation offload on the wire`,
    set,
    run: async (context) => {
      await runStates(context, configuration, {
        states: STATES,
        length: LENGTH,
        largest: LARGEST_FRAME,
        begin: 'check dhcp dhcp eth0',
        judge,
      });
    },
  };
}

function judge(state: State, guest: Connection, wire: Connection): Verdict[] {
  const verdicts: Verdict[] = [];
  const check = (what: string, passed: boolean, detail: string): void =>
    void verdicts.push({ what, passed, detail });
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
