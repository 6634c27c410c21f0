import { MemoryStore, VirtioBlk, VirtioPci } from '@vmloom/virtio';
import type { Ledger } from '@vmloom/device';
import { virtioNic } from '../boot/nics.js';
import { GATEWAY, nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest, TestContext } from './guest-test.js';
import { HttpPeer } from './http-peer.js';
import { elsewhere, interruptLines, taken } from './interrupt-counts.js';
import { transferWords } from './network-tests.js';

/** A configuration whose board has no PLIC. */
export type AiaConfiguration = Configuration & { readonly aia: 'aplic' | 'aplic-imsic' };

const DISK = 16 * 2 ** 20;
const PINGS = 10;
const READS = 40;
const LENGTH = 1e6;
/** A driver coalesces some of them. */
const LEAST_PINGS = PINGS / 2;

/**
 * Stock drivers on an APLIC, with or without IMSICs: what is wired and what is a message arrives on the harts that
 * Linux chose, also when it changes its mind, and nothing is lost while it keeps changing.
 */
export function aiaTest(configuration: AiaConfiguration, set: GuestTest['set']): GuestTest {
  const { harts, aia } = configuration;
  return {
    name: `${nameOf(configuration)}: interrupts`,
    set,
    run: async (context) => {
      const peer = new HttpPeer(LENGTH);
      let ledger: Ledger | undefined;
      try {
        const port = await peer.listen();
        const { shown } = await runPlan(context, configuration, plan(harts, port), {
          network: true,
          nic: virtioNic({ pairs: harts }),
          hostTime: true,
          patience: 600,
          pack: { modules: ['virtio_net', 'virtio_blk'] },
          onMachine: ({ machine }) => {
            ledger = machine.world.ledger;
            const store = new MemoryStore({ size: DISK });
            const io = machine.world.outside;
            const disk = new VirtioBlk({ store, io, queues: harts });
            machine.pcie.plug(new VirtioPci({ device: disk, name: 'disk' }));
          },
        });
        const text = (name: string): string => shown.get(name)?.text ?? '';
        judgeChips(context, text('vectors'), aia, harts);
        if (aia === 'aplic-imsic') {
          for (let cpu = 0; cpu < harts; cpu++) judgeHart(context, text, cpu, harts);
          judgeLedger(context, ledger!);
        } else judgeWires(context, text, harts);
        const whole = peer.received.filter((body) => body.sha256 === peer.sha256).length;
        context.report.check('the file went round whole each time', whole === 2, `${whole} of 2`);
      } finally {
        peer.close();
      }
    },
  };
}

function plan(harts: number, port: number): string {
  const each = Array.from({ length: harts }, (_, cpu) => onHart(cpu));
  return `
check modprobe modprobe -a virtio_net virtio_blk
show vectors cat /proc/interrupts
check dhcp dhcp eth0
irqs() { sed -n "s/^ *\\([0-9]*\\):.*$1.*/\\1/p" /proc/interrupts; }
send_to() { for irq in $(irqs $2); do echo $1 > /proc/irq/$irq/smp_affinity_list || return 1; done; }
net=$(grep -q input /proc/interrupts && echo put || echo virtio)
read_on() { taskset -c $1 dd if=/dev/vda of=/dev/null bs=4k count=${READS} iflag=direct; }
${each.join('\n')}
${transferWords(port, LENGTH)}
check transfer download
check upload upload
show digest-before sha256sum /dev/vda
# While data flows both ways, every vector of the card changes its hart all the time.
hop() { while [ ! -e /run/enough ]; do for cpu in $(seq 0 ${harts - 1}); do send_to $cpu $net; usleep 300; done; done; }
hop 2> /run/hop &
head -c 3000000 /dev/urandom > /run/data
write() { dd if=/run/data of=/dev/vda bs=64k conv=fsync,notrunc; }
written() { head -c 3000000 /dev/vda | cmp - /run/data; }
check write-while-hopping write
check download-while-hopping download
check upload-while-hopping upload
check flood-while-hopping /usr/bin/ping -q -c 100 -i 0.002 -W 3 ${GATEWAY}
touch /run/enough
wait
forget() { sync; echo 3 > /proc/sys/vm/drop_caches; }
forget
check what-was-written-is-there written
show no-hop-failed cat /run/hop
show at-end cat /proc/interrupts
finish poweroff -f
`;
}

/** The card's vectors on one hart; the disk's requests from there. */
function onHart(cpu: number): string {
  return `
check affinity-${cpu} send_to ${cpu} $net
show net-before-${cpu} cat /proc/interrupts
check ping-${cpu} /usr/bin/ping -c ${PINGS} -i 0.05 -W 3 ${GATEWAY}
show net-after-${cpu} cat /proc/interrupts
check read-${cpu} read_on ${cpu}
show blk-after-${cpu} cat /proc/interrupts`;
}

function judgeChips(
  { report }: TestContext,
  text: string,
  aia: AiaConfiguration['aia'],
  harts: number,
): void {
  const lines = interruptLines(text, harts);
  const chips = (action: string): string[] =>
    lines.filter((line) => line.text.includes(action)).map((line) => line.text.split(/\s+/)[0]);
  const all = (name: string, found: string[], count: number, chip: RegExp): void =>
    report.check(name, found.length === count && found.every((one) => chip.test(one)), text);
  const wired = aia === 'aplic' ? /^APLIC-DIRECT/ : /^APLIC-MSI/;
  all('the UART is wired to the APLIC', chips('ttyS0'), 1, wired);
  if (aia === 'aplic') {
    report.check(
      'the virtio devices too',
      chips('virtio').every((chip) => wired.test(chip)),
      text,
    );
    return;
  }
  all('each queue of the card has a vector', chips('put.'), 2 * harts, /^PCI-MSIX/);
  all('each queue of the disk has one', chips('req.'), harts, /^PCI-MSIX/);
}

function judgeHart(context: TestContext, text: (name: string) => string, cpu: number, harts: number): void {
  const looks = ['net-before', 'net-after', 'blk-after'].map((name) => text(`${name}-${cpu}`));
  const [before, after, behind] = looks;
  arrives(context, `the card interrupts hart ${cpu} when told to`, LEAST_PINGS, 1, {
    ...{ before, after, cpu, harts },
    action: 'virtio0-input',
  });
  arrives(context, `requests from hart ${cpu} come back there`, READS, 0, {
    ...{ before: after, after: behind, cpu, harts },
    action: '-req.',
  });
}

/** INTx of both devices goes to one hart at a time. */
function judgeWires(context: TestContext, text: (name: string) => string, harts: number): void {
  for (let cpu = 0; cpu < harts; cpu++) {
    const [before, after] = [text(`net-before-${cpu}`), text(`net-after-${cpu}`)];
    const looks = { before, after, cpu, harts, action: 'virtio' };
    arrives(context, `the wire leads to hart ${cpu} when told to`, LEAST_PINGS, 0, looks);
  }
}

/**
 * At least so many interrupts on one hart. A line may have `strays` of them elsewhere: newer kernels move a vector
 * from within its next interrupt, which is taken where it was.
 */
function arrives(
  { report }: TestContext,
  name: string,
  least: number,
  strays: number,
  looks: { before: string; after: string; harts: number; action: string; cpu: number },
): void {
  const { before, after, harts, action, cpu } = looks;
  const counts = taken(before, after, harts, action);
  const away = elsewhere(before, after, harts, action, cpu);
  report.check(name, counts[cpu] >= least && away <= strays, `each hart took ${counts.join(', ')}`);
}

/** Every message that a function sent arrived, and was an identity that exists. */
function judgeLedger({ report }: TestContext, ledger: Ledger): void {
  const dropped = ledger.total({ event: 'message-dropped' }) + ledger.total({ event: 'message-ignored' });
  report.check('no message was lost on the way', dropped === 0, `${dropped} lost`);
  const received = ledger.total({ event: 'message-received' });
  const claimed = ledger.total({ event: 'interrupt-claimed' });
  report.check(
    'what was claimed had arrived',
    claimed > 0 && claimed <= received,
    `${claimed} of ${received}`,
  );
  report.note(`${received} messages arrived, ${claimed} interrupts were claimed`);
}
