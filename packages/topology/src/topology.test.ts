import { describe, expect, it } from 'vitest';
import { buildTopology, type Built } from './build.js';
import { checkTopology } from './check.js';
import { costsOf, networkExits, type Costs } from './costs.js';
import { runTopology } from './run.js';
import { STRUCTURES, type StructureName } from './structures/index.js';
import { topology } from './topology.js';

const PACKETS = 100;

/** A sender with a structure, and a sink of the same kind, on one host. */
async function stream(
  structure: StructureName,
): Promise<{ built: Built; sender: Costs; sink: Costs; said: string }> {
  const spec = topology({
    hosts: { board: { memory: '64MiB', harts: 3, preset: 'kvm-x86' } },
    switches: { lan: {} },
    vms: {
      sender: {
        host: 'board',
        ip: '10.0.0.1',
        nics: [{ structure, switch: 'lan' }],
        run: ['ping -c 1 10.0.0.2', `udp-stream -n ${PACKETS} -s 1472 10.0.0.2`],
      },
      sink: { host: 'board', ip: '10.0.0.2', nics: [{ structure, switch: 'lan' }], serve: ['udp-sink'] },
    },
  });
  const built = await buildTopology(spec);
  await runTopology(built);
  const [sender, sink] = built.vms.map((vm) => costsOf(built.world.ledger, vm));
  return { built, sender, sink, said: built.vms[0].machine.console.text };
}

const results = new Map<StructureName, Awaited<ReturnType<typeof stream>>>();

describe.each(Object.keys(STRUCTURES) as StructureName[])('structure %s', (name) => {
  it('carries a ping and a stream, without loss', async () => {
    const result = await stream(name);
    results.set(name, result);
    expect(result.said).toMatch(/1 sent, 1 received/);
    expect(result.said).toMatch(new RegExp(`${PACKETS} delivered, 0 lost`));
    expect(result.sender.sent).toBeGreaterThanOrEqual(PACKETS + 2);
  });

  it('SURVEY, CPU copies: each frame is copied as often as the structure says', () => {
    const { copiesSent, copiesReceived } = STRUCTURES[name].charges;
    const { sender, sink } = results.get(name)!;
    expect(sender.copies).toBe(copiesSent * sender.sent + copiesReceived * sender.received);
    expect(sink.copies).toBe(copiesSent * sink.sent + copiesReceived * sink.received);
  });
});

describe('SURVEY: what tells the structures apart', () => {
  const sender = (name: StructureName): Costs => results.get(name)!.sender;

  it('native: no exits, no injections, no time of a hypervisor', () => {
    const costs = sender('native');
    expect([networkExits(costs), costs.injected, costs.vmmTime]).toEqual([0, 0, 0]);
  });

  it('assigned: registers are reached without exits', () => {
    const ofRegisters = ([reason, value]: [string, number]): boolean =>
      reason.startsWith('e1000') && value > 0;
    expect(Object.entries(sender('assigned').exits).filter(ofRegisters)).toEqual([]);
    expect(Object.entries(sender('e1000').exits).filter(ofRegisters)).not.toEqual([]);
  });

  it('side core: the guest rings no doorbell for what it sends', () => {
    expect(sender('virtio-side-core').doorbells).toBeLessThan(5);
    expect(sender('virtio-side-core').cycles['wake'] ?? 0).toBe(0);
  });

  it('vhost: its doorbells are light exits', () => {
    const { cycles } = sender('virtio-vhost');
    expect(cycles['exitDoorbell']).toBeGreaterThan(0);
    expect(sender('virtio-split').cycles['exitDoorbell'] ?? 0).toBe(0);
  });
});

describe('checkTopology', () => {
  const good = {
    hosts: { board: {} },
    switches: { lan: {} },
    vms: {
      a: { host: 'board', ip: '10.0.0.1', nics: [{ structure: 'e1000', switch: 'lan' }], run: ['link'] },
    },
  };
  const vm = (change: object): object => ({ ...good, vms: { a: { ...good.vms.a, ...change } } });
  const nic = (change: object): object => vm({ nics: [{ structure: 'e1000', switch: 'lan', ...change }] });

  it('takes a good one', () => {
    expect(checkTopology(good)).toBe(good);
  });

  it.each([
    ['no table', 5, /a topology is a table of named values, not 5/],
    ['a part that is none', { ...good, routers: {} }, /hosts, switches and vms, not routers/],
    ['no machine', { ...good, vms: {} }, /without a virtual machine/],
    ['an unknown host', vm({ host: 'bord' }), /a is on host bord, which is not there; there are board/],
    ['an unknown switch', nic({ switch: 'wan' }), /on switch wan, which is not there; there are lan/],
    [
      'an unknown structure',
      nic({ structure: 'token-ring' }),
      /the structure token-ring; there are native, assigned/,
    ],
    ['a structure by an inherited name', nic({ structure: 'toString' }), /the structure toString/],
    ['a bad address', vm({ ip: '10.0.0.256' }), /a has the address 10.0.0.256/],
    ['the address of a group', nic({ mac: '01:00:5e:00:00:01' }), /group's address/],
    ['no NIC', vm({ nics: [] }), /a needs 1 to 8 NICs/],
    ['an unknown field', vm({ colour: 'red' }), /a has colour; it takes host, ip/],
    ['a bad name', { ...good, hosts: { 'My Host': {} } }, /My Host is no name/],
    ['one name twice', { ...good, switches: { lan: {}, board: {} } }, /two parts are called board/],
    ['no harts', { ...good, hosts: { board: { harts: 0 } } }, /board has 0 harts/],
    ['an unknown preset', { ...good, hosts: { board: { preset: 'vax' } } }, /there is no cost preset vax/],
    [
      'a preset with a gap',
      { ...good, hosts: { board: { preset: { name: 'mine' } } } },
      /mine lacks gigahertz/,
    ],
    ['a side core on the only hart', nic({ structure: 'virtio-side-core' }), /the side core takes it/],
    ['nothing to run', vm({ run: undefined }), /would never end/],
    ['a queue of nothing', { ...good, switches: { lan: { queue: 0 } } }, /queue of lan/],
    ['a rate of 0', { ...good, switches: { lan: { rate: 0 } } }, /rate of lan/],
  ])('refuses %s with a sentence', (_what, spec, sentence) => {
    expect(() => checkTopology(spec)).toThrow(sentence);
  });

  it('names of hosts and switches are checked by the compiler', () => {
    const spec = topology({
      hosts: { board: {} },
      switches: { lan: {} },
      // @ts-expect-error there is no such host
      vms: { a: { host: 'bord', ip: '10.0.0.1', nics: [{ structure: 'e1000', switch: 'lan' }] } },
    });
    expect(() => checkTopology(spec)).toThrow(/host bord/);
  });

  it('a machine that never ends is told so', async () => {
    const built = await buildTopology(vm({ run: ['wait 60000'] }) as Parameters<typeof buildTopology>[0]);
    await expect(runTopology(built, { limit: 1e9 })).rejects.toThrow(
      'a did not finish in 1 s of virtual time',
    );
  });
});
