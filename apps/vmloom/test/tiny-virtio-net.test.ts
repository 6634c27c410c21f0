import { VirtioNet, VirtioPci, type NetFeature, type RingOptions } from '@vmloom/virtio';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runLine } from '../src/monitor/commands.js';
import { parseCommandLine } from '../src/options/command-line.js';
import { Session } from '../src/run/session.js';
import { lanOf, type Nic } from './lan.js';

const tiny = fileURLToPath(new URL('../../../packages/guest/prebuilt/tiny.elf', import.meta.url));

const RINGS = [false, true].flatMap((packed) => [false, true].map((eventIndex) => ({ packed, eventIndex })));
/** What the guest calls its rings. */
const nameOf = ({ packed, eventIndex }: RingOptions): string =>
  `virtio-net ${packed ? 'packed' : 'split'}${eventIndex ? ' event_idx' : ''}`;

interface VirtioNicOptions extends RingOptions {
  readonly without?: readonly NetFeature[];
  readonly queueSize?: number;
}

const virtio =
  ({ without = [], queueSize = 256, ...rings }: VirtioNicOptions): Nic =>
  (options) =>
    new VirtioPci({ device: new VirtioNet({ ...options, without, queueSize }), ...rings });

/** Pings, long requests, and a stream from a to b; then one from b to a. */
const commands = (rate: string) => ({
  a: [
    'wait-link',
    'link',
    'ping -c 3 -i 1 10.0.0.2',
    'udp-rr -n 50 -s 1400 10.0.0.2',
    `udp-stream -n 600 -s 1472 ${rate} 10.0.0.2`,
    'udp-sink -w',
    'stats',
    'poweroff',
  ],
  b: [
    'wait-link',
    'link',
    'udp-echo',
    'udp-sink -w',
    'wait 100',
    `udp-stream -n 600 -s 700 ${rate} 10.0.0.1`,
    'stats',
    'poweroff',
  ],
});

interface Outcome {
  readonly a: string;
  readonly b: string;
}

/** Runs both to their end, and checks that nothing was lost between them. */
async function talk(nics: Partial<Record<'a' | 'b', Nic>>, rate = ''): Promise<Outcome> {
  const { world, a, b } = await lanOf(commands(rate), {}, nics);
  a.powerOn();
  b.powerOn();
  await world.run({ until: 20e9 });
  const [one, other] = [a.console.text, b.console.text];
  expect([a.exit?.reason, b.exit?.reason], one + other).toEqual(['power-off', 'power-off']);
  expect(one).toMatch(/ping: 3 sent, 3 received/);
  expect(one).toMatch(/udp-rr: 50 sent, 50 received/);
  expect(one).toMatch(/udp-stream: 600 packets, 883200 bytes, .* 600 delivered, 0 lost/);
  expect(other).toMatch(/udp-stream: 600 packets, 420000 bytes, .* 600 delivered, 0 lost/);
  for (const text of [one, other]) expect(text).toMatch(/^eth0\.rx_errors=0\r?$/m);
  return { a: one, b: other };
}

describe('the tiny guest on virtio-net', () => {
  it.each(RINGS)('virtio 2.7, 2.8: packed=$packed, event_idx=$eventIndex, with an e1000', async (rings) => {
    expect((await talk({ a: virtio(rings) })).a).toContain(`eth0: ${nameOf(rings)} link up`);
    expect((await talk({ b: virtio(rings) })).b).toContain(`eth0: ${nameOf(rings)} link up`);
  });

  it('virtio 2.7.1, 2.8.1: short rings, split and packed, at both ends', async () => {
    const nics = {
      a: virtio({ packed: true, eventIndex: true, queueSize: 4 }),
      b: virtio({ packed: false, eventIndex: true, queueSize: 8 }),
    };
    const { a, b } = await talk(nics, '-r 20000'); // or more would come at once than the rings hold
    expect(a).toContain('virtio-net packed');
    expect(b).toContain('virtio-net split');
  });

  it('virtio 6.1: iommu_platform=on, in_order=on and what else is offered do not disturb it', async () => {
    await talk({ a: virtio({ packed: true, accessPlatform: true, inOrder: true, notificationData: true }) });
  });

  it('virtio 5.1.3: a device without MRG_RXBUF, STATUS and a MAC address is driven too', async () => {
    await talk({ a: virtio({ without: ['mrg_rxbuf', 'status'] }) });
    const { a } = await talk({ a: virtio({ without: ['mac'] }) });
    expect(a).toMatch(/eth0: virtio-net .* mac 02:00:00:/);
  });
});

/** A guest at its prompt on a network of its own. */
async function atPrompt(device: string, append: string): Promise<Session> {
  const session = await Session.create(
    parseCommandLine([
      ...['-m', '16', '-serial', 'none', '-time', 'virtual', '-kernel', tiny],
      ...['-append', append, '-netdev', 'user,id=n0', '-device', `${device},netdev=n0,id=nic0`],
    ]),
  );
  await session.begin();
  await session.machine.console.waitFor(/vmloom# /);
  return session;
}

async function ask(session: Session, command: string, pattern: RegExp): Promise<string> {
  session.machine.console.send(`${command}\n`);
  return (await session.machine.console.waitFor(pattern))[0];
}

describe('-device virtio-net-pci under the tiny guest', () => {
  it.each([
    ['virtio-net-pci,packed=on', '', 'virtio-net packed event_idx', '1af4:1000'],
    ['virtio-net-pci,packed=on', 'packed=off event_idx=off', 'virtio-net split', '1af4:1000'],
    ['virtio-net-pci,event_idx=off,disable-legacy=on', 'packed=on', 'virtio-net split', '1af4:1041'],
  ])('%s and boot arguments "%s" come to %s', async (device, append, driver, id) => {
    const session = await atPrompt(device, `ip=dhcp ${append}`);
    expect(await ask(session, 'link', /eth0: virtio-net [^\n]*link up/)).toContain(`eth0: ${driver} link up`);
    expect(await ask(session, 'lspci', /1af4:[^\n]*/)).toContain(id);
    expect(await ask(session, 'ping -c 3 -i 1 10.0.2.2', /ping: \d+ sent, \d+ received/)).toContain(
      '3 received',
    );
    session.close();
  });

  it('virtio 5.1.6.4: rx_buffer= makes small buffers, and long frames come in several', async () => {
    const session = await atPrompt('virtio-net-pci,packed=on', 'ip=dhcp rx_buffer=128');
    await ask(session, 'ping -c 3 -i 1 -s 1400 10.0.2.2', /ping: 3 sent, 3 received/);
    expect(await ask(session, 'stats', /eth0\.rx_joined=\d+/)).not.toBe('eth0.rx_joined=0');
    session.close();
  });

  it('virtio 5.1.4: the link goes down and comes up by interrupt', async () => {
    const session = await atPrompt('virtio-net-pci', 'ip=10.0.2.15/24');
    await runLine(session, 'set_link nic0 off');
    expect(await ask(session, 'wait 1; link', /eth0: [^\n]*link (up|down)/)).toMatch(/down/);
    await runLine(session, 'set_link nic0 on');
    await ask(session, 'wait-link; ping -c 1 10.0.2.2', /ping: 1 sent, 1 received/);
    expect(await ask(session, 'stats', /eth0\.link_changes=\d+/)).toBe('eth0.link_changes=2');
    session.close();
  });
});
