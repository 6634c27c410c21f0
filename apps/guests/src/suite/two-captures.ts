import { createServer, type AddressInfo, type Server } from 'node:net';
import type { World } from '@vmloom/machine';
import { capture, MemorySink, PcapngWriter, type Port } from '@vmloom/net';
import { readPcapng } from '@vmloom/net/testing';
import { debian, withPlan } from '../boot/initramfs.js';
import type { BootResult } from '../boot/boot.js';
import { readPcap } from '../capture/pcap.js';
import { joined, writeCpio } from '../cpio.js';
import { PackageStore } from '../store.js';
import { packPrograms } from '../userland.js';
import { GATEWAY, runPlan, type Configuration } from './debian-run.js';
import type { TestContext } from './guest-test.js';
import { HttpPeer } from './http-peer.js';

export interface CapturedRun {
  /** Bytes of the file that `download` and `upload` carry. */
  readonly length: number;
  /**
   * What happens while both listen, and before: eth0 is there, but has neither link nor address. Words beside
   * those of every plan: `turn FEATURE on|off…`, `download`, `upload`, `carrier_is 0|1`, `sniff`.
   */
  readonly plan: string;
  /** The network behind the wire at which the host listens; the translator unless told. */
  readonly network?: (translator: Port, world: World) => Port;
}

/** What was said, and what passed the wire in the guest's and in the host's eyes. */
export interface Captured extends BootResult {
  readonly guest: readonly Uint8Array[];
  readonly host: readonly Uint8Array[];
  readonly peer: HttpPeer;
}

/** Debian with tcpdump at eth0, while the host captures what its e1000 sends and gets. */
export async function runCaptured(
  context: TestContext,
  configuration: Configuration,
  { length, plan, network }: CapturedRun,
): Promise<Captured> {
  const peer = new HttpPeer(length);
  const collector = new Collector();
  try {
    const whole = words(await peer.listen(), await collector.listen(), length, plan);
    const userland = new PackageStore('trixie', { update: context.update });
    const tcpdump = packPrograms(userland, [{ package: 'tcpdump', path: 'usr/bin/tcpdump' }]);
    const { root } = debian(configuration.series, { update: context.update });
    const sink = new MemorySink();
    const result = await runPlan(context, configuration, whole, {
      initrd: withPlan(joined([root, writeCpio(tcpdump)]), whole),
      memory: '256MiB',
      network: true,
      hostTime: true,
      wire: (port, world) =>
        capture(network?.(port, world) ?? port, new PcapngWriter(sink), world.clock, 'wire'),
    });
    const said = result.shown.get('tcpdump')?.text ?? '';
    const lossless = /\n0 packets dropped by kernel/.test(said);
    context.report.check('the kernel dropped nothing of tcpdump', lossless, said);
    const guest = readPcap(collector.bytes());
    const host = readPcapng(sink.toBytes()).packets.map(({ bytes }) => bytes);
    return { ...result, guest, host, peer };
  } finally {
    peer.close();
    collector.close();
  }
}

function words(http: number, collector: number, length: number, plan: string): string {
  const header = `PUT /file HTTP/1.0\\r\\nContent-Length: ${length}\\r\\n\\r\\n`;
  return `
modprobe e1000
modprobe af_packet
carrier_is() { [ "$(cat /sys/class/net/eth0/carrier)" = $1 ]; }
# A change of some features resets the card.
turn() { ethtool -K eth0 "$@" && within 10 carrier_is 1; }
download() { wget -q -O /run/file http://${GATEWAY}:${http}/file; }
upload() { { printf '${header}'; cat /run/file; } | nc ${GATEWAY} ${http} | grep taken; }
sniffing() { grep -q 'listening on' /run/said; }
sniff() {
  tcpdump -Z root -B 16384 -U -n -i eth0 -w /run/capture 2> /run/said &
  sniffer=$!
  within 20 sniffing
}
${plan}
# tcpdump hears of a packet up to a second later.
sleep 3
kill -INT $sniffer
wait $sniffer
show tcpdump cat /run/said
send() { nc ${GATEWAY} ${collector} < /run/capture; }
check send-capture send
finish poweroff -f
`;
}

/** Takes what one connection sends. */
class Collector {
  readonly #pieces: Uint8Array[] = [];
  readonly #server: Server = createServer((socket) => {
    socket.on('data', (bytes: Uint8Array) => this.#pieces.push(bytes));
    socket.on('error', () => socket.destroy());
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  bytes(): Uint8Array {
    return joined(this.#pieces);
  }

  close(): void {
    this.#server.close();
  }
}
