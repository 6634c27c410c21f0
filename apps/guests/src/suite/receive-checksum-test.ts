import { connectionsTo } from './connections.js';
import { GATEWAY, nameOf, type Configuration } from './debian-run.js';
import { counters } from './ethtool.js';
import type { GuestTest } from './guest-test.js';
import { spoiling } from './spoiling-port.js';
import { runCaptured } from './two-captures.js';

const LENGTH = 300_000;
/** One long segment of so many has a wrong checksum. */
const PERIOD = 40;
const SPOILED = 'rx_csum_offload_errors';

const STATES = ['on', 'off', 'on'] as const;

/**
 * Segments with wrong checksums on the wire, and `ethtool -K rx`: on, the card says which they are; off, it says
 * nothing and the kernel finds as many itself. Either way none of their bytes reaches the file.
 */
export function receiveChecksumTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: wrong checksums on the wire`,
    set,
    run: async (context) => {
      const { host, peer, shown } = await runCaptured(context, configuration, {
        length: LENGTH,
        plan: plan(),
        network: (translator) => spoiling(translator, PERIOD),
      });
      const { report } = context;
      const text = (name: string): string => shown.get(name)?.text ?? '';
      const downloads = connectionsTo(GATEWAY, host);
      STATES.forEach((state, index) => {
        const name = `rx ${state}, transfer ${index + 1}`;
        const wrong = downloads[index]?.received.filter(({ tcp }) => !tcp.sound).length ?? 0;
        report.check(`${name}: some are wrong on the wire`, wrong > 3, `${wrong}`);
        const [before, after] = [index, index + 1].map((number) => ({
          card: counters(text(`card-${number}`)).get(SPOILED) ?? NaN,
          kernel: checksumErrors(text(`kernel-${number}`)),
        }));
        const [byCard, byKernel] = [after.card - before.card, after.kernel - before.kernel];
        report.check(
          state === 'on' ? `${name}: the card finds them` : `${name}: the card finds none`,
          byCard === (state === 'on' ? wrong : 0),
          `${byCard} of ${wrong}`,
        );
        report.check(`${name}: the kernel drops them`, byKernel === wrong, `${byKernel} of ${wrong}`);
        const digest = text(`digest-${index}`);
        report.check(`${name}: the file is whole`, digest.startsWith(peer.sha256), digest);
      });
    },
  };
}

function plan(): string {
  const transfers = STATES.map(
    (state, index) => `
check rx-${index} turn rx ${state}
check download-${index} download
show digest-${index} sha256sum /run/file
show card-${index + 1} ethtool -S eth0
show kernel-${index + 1} cat /proc/net/snmp`,
  );
  return `
check dhcp dhcp eth0
# The driver begins with receive checksums at work and says that they are off: turned on, both agree.
check agree turn rx on gro off
check sniff sniff
show card-0 ethtool -S eth0
show kernel-0 cat /proc/net/snmp
${transfers.join('\n')}
`;
}

/** TCP's InCsumErrors (RFC 9293 3.1: such a segment is dropped) as `/proc/net/snmp` has them: a row of names, a row of numbers. */
function checksumErrors(text: string): number {
  const [names, values] = [...text.matchAll(/^Tcp: (.*)$/gm)].map(([, row]) => row.split(' '));
  return Number(values?.[names.indexOf('InCsumErrors')] ?? NaN);
}
