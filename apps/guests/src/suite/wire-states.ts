import { connectionsTo, type Connection } from './connections.js';
import { GATEWAY, type Configuration } from './debian-run.js';
import type { TestContext } from './guest-test.js';
import { runCaptured, type Captured, type CapturedRun } from './two-captures.js';
import { bytesIn, handedOver, judgeWire, tell, type Verdict } from './wire-verdicts.js';

/** What `ethtool -K` switches on and off, and whether the card cuts then. */
export interface WireState {
  readonly name: string;
  readonly features: string;
  readonly segmentation: boolean;
}

export interface WireTrial<State extends WireState> {
  readonly states: readonly State[];
  /** Bytes of the file that goes round in each state. */
  readonly length: number;
  /** Bytes of the longest frame that the wire takes. */
  readonly largest: number;
  /** The plan until the network is there. */
  readonly begin: string;
  /** What is shown of a state before its transfer. */
  readonly show?: (index: number) => string;
  readonly network?: CapturedRun['network'];
  /** What is true of a connection in this state, beside what is true of any wire. */
  readonly judge: (state: State, guest: Connection, wire: Connection) => readonly Verdict[];
}

/**
 * A file goes round in each state of the card, judged by what tcpdump sees in the guest, before the card, and by the
 * host's capture behind it: whoever does the work, the wire is the same.
 */
export async function runStates<State extends WireState>(
  context: TestContext,
  configuration: Configuration,
  trial: WireTrial<State>,
): Promise<Captured> {
  const { states, length, largest, network } = trial;
  const turns = states.map(
    ({ features }, index) => `check state-${index} turn ${features}
${trial.show?.(index) ?? ''}
check transfer-${index} transfer`,
  );
  const captured = await runCaptured(context, configuration, {
    length,
    plan: `transfer() { download && upload; }\n${trial.begin}\ncheck sniff sniff\n${turns.join('\n')}\n`,
    ...(network === undefined ? {} : { network }),
  });
  const { guest, host, peer } = captured;
  const { report } = context;
  const whole = peer.received.filter(({ sha256 }) => sha256 === peer.sha256).length;
  report.check('the file went round whole in each state', whole === states.length, `${whole}`);
  const [seen, passed] = [guest, host].map((frames) => connectionsTo(GATEWAY, frames));
  const count = 2 * states.length;
  const both = seen.length >= count && passed.length >= count;
  report.check('both captures have every transfer', both, `${seen.length} and ${passed.length}`);
  states.forEach((state, index) => {
    // The file comes by one connection and goes by the next.
    const judged = ['down', 'up'].flatMap((way, number) => {
      const [inGuest, onWire] = [seen, passed].map((all) => all[2 * index + number]);
      if (inGuest === undefined || onWire === undefined) return [];
      const verdicts = [...judgeWire(onWire, largest), ...trial.judge(state, inGuest, onWire)];
      if (length < bytesIn(onWire.sent)) verdicts.push(handedOver(inGuest, onWire, state.segmentation));
      return verdicts.map((verdict) => ({ ...verdict, way }));
    });
    tell(report, state.name, judged);
  });
  return captured;
}
