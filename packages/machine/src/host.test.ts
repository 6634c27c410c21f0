import { decodeSnapshot, encodeSnapshot } from '@vmloom/device';
import { KVM_X86 } from '@vmloom/hypervisor';
import { asm } from '@vmloom/riscv/testing';
import { describe, expect, it } from 'vitest';
import { createHost, type Host, type VirtualMachine, type VmOptions } from './host.js';
import { createMachine } from './machine.js';
import { World } from './world.js';

const UART = 0x1000_0000;
const bytesOf = (words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

/** Counts in s0 for ever, at one instruction of three. */
const SPIN = bytesOf([asm.addi('s0', 's0', 1), asm.addi('zero', 'zero', 0), asm.jal('zero', -8)]);
/** Reads a register of the UART for ever. */
const POLL = bytesOf([asm.lui('t0', UART >>> 12), asm.lbu('t1', 5, 't0'), asm.jal('zero', -4)]);
/** Stores a value at the beginning of RAM, and spins. */
const mark = (value: number): Uint8Array =>
  bytesOf([
    asm.lui('t0', 0x8_0000),
    asm.slli('t0', 't0', 32),
    asm.srli('t0', 't0', 32),
    asm.addi('t1', 'zero', value),
    asm.sw('t1', 1024, 't0'),
    asm.jal('zero', 0),
  ]);
/** Traps into its own trap handler. */
const CRASH = bytesOf([0]);

async function hostOf(
  harts: number,
  ...vms: Partial<VmOptions>[]
): Promise<{ host: Host; vms: VirtualMachine[] }> {
  const host = await createHost({ memory: '16MiB', harts, preset: KVM_X86, jit: false });
  const made = vms.map((options, index) =>
    host.createVm({ name: `vm${index}`, memory: '1MiB', firmware: 'none', kernel: SPIN, ...options }),
  );
  return { host, vms: made };
}

const start = (vms: readonly VirtualMachine[]): void => {
  for (const vm of vms) vm.powerOn();
};
const word = (vm: VirtualMachine, address: number): number => vm.space.load(address as never, 4);

describe('createHost', () => {
  it('DESIGN, memory slots: each guest has RAM of its own inside the host’s', async () => {
    const { host, vms } = await hostOf(2, { kernel: mark(1) }, { kernel: mark(2) });
    start(vms);
    await host.world.run({ until: 100_000 });
    expect(vms.map((vm) => word(vm, 0x8000_0400))).toEqual([1, 2]);
    const offsets = vms.map(({ space }) => space.resolve(0x8000_0000 as never, 4096));
    expect(offsets[0]).not.toBe(offsets[1]);
    expect(vms[0].memory).toBe(vms[1].memory);
  });

  it('a guest reads what lies beyond its slots as a fault, never as its neighbour’s memory', async () => {
    const { vms } = await hostOf(1, {}, {});
    const [{ space }] = vms as [VirtualMachine];
    expect(space.resolve((0x8000_0000 + 0x10_0000) as never, 1)).toBe(-1);
    expect(word(vms[0], 0x8000_0000 + 0x10_0000)).toBe(-1);
  });

  it('two vCPUs on one hart have half of it each, and switches are counted', async () => {
    const { host, vms } = await hostOf(1, {}, {});
    start(vms);
    await host.world.run({ until: 50e6 });
    const { ledger } = host.world;
    const time = vms.map(({ name }) => ledger.total({ owner: name, event: 'cpu-ns', reason: 'guest' }) / 1e6);
    expect(time.map(Math.round)).toEqual([25, 25]);
    expect(ledger.total({ owner: 'host.hart0', event: 'context-switch' })).toBeGreaterThan(20);
  });

  it('exits drive virtual time: a guest that exits at every step gets on by the cost of its exits', async () => {
    const { host, vms } = await hostOf(1, { kernel: POLL });
    start(vms);
    await host.world.run({ until: 10e6 });
    const exits = host.world.ledger.total({ owner: 'vm0', event: 'exit', reason: 'uart' });
    const cost = KVM_X86.exitUser / KVM_X86.gigahertz;
    expect(exits).toBeGreaterThan(0.95 * (10e6 / cost));
    expect(exits).toBeLessThan(10e6 / cost);
  });

  it('native: the same guest without exits', async () => {
    const { host, vms } = await hostOf(1, { kernel: POLL, native: true });
    start(vms);
    await host.world.run({ until: 1e6 });
    const { ledger } = host.world;
    expect(ledger.total({ owner: 'vm0', event: 'exit' })).toBe(0);
    expect(ledger.total({ owner: 'vm0', event: 'cpu-ns', reason: 'vmm' })).toBe(0);
  });

  it('isolation: one guest crashes, another is powered off, and the third goes on', async () => {
    const { host, vms } = await hostOf(1, { kernel: CRASH }, {}, {});
    start(vms);
    await host.world.run({ until: 1e6 });
    expect(vms[0].exit?.reason).toBe('fatal');
    vms[1].powerOff();
    const before = vms[2].retired;
    await host.world.run({ until: 2e6 });
    // Alone on the hart now: 0.7 cycles of 0.4 ns an instruction.
    expect(vms[2].retired - before).toBeGreaterThan(3_000_000);
  });

  it('pause and resume: a paused guest uses no time, a resumed one goes on where it was', async () => {
    const { host, vms } = await hostOf(1, {}, {});
    start(vms);
    await host.world.run({ until: 1e6 });
    vms[0].pause();
    const before = vms.map(({ retired }) => retired) as [number, number];
    await host.world.run({ until: 3e6 });
    expect(vms[0].retired).toBe(before[0]);
    expect(vms[1].retired).toBeGreaterThan(before[1]);
    vms[0].resume();
    await host.world.run({ until: 5e6 });
    expect(vms[0].retired).toBeGreaterThan(before[0]);
  });

  it('determinism, snapshot: two runs and a restored one are the same to the last instruction', async () => {
    const options = [{}, { kernel: POLL, harts: 2 }, { share: { weight: 300 } }] as const;
    const state = ({ host, vms }: { host: Host; vms: VirtualMachine[] }): unknown => [
      host.hypervisor.harts.map(({ localTime }) => localTime),
      vms.map(({ harts }) => harts.map((hart) => [hart.retired, hart.localTime, hart.readX(8)])),
    ];
    const first = await hostOf(2, ...options);
    start(first.vms);
    await first.host.world.run({ until: 1_234_567 });
    const saved = encodeSnapshot(first.host.world.save());
    await first.host.world.run({ until: 4e6 });
    const second = await hostOf(2, ...options);
    start(second.vms);
    await second.host.world.run({ until: 1_234_567 });
    await second.host.world.run({ until: 4e6 });
    expect(state(second)).toEqual(state(first));
    const restored = await hostOf(2, ...options);
    restored.host.world.restore(decodeSnapshot(saved));
    await restored.host.world.run({ until: 4e6 });
    expect(state(restored)).toEqual(state(first));
  });

  it('a machine beside the host in one world is no part of it', async () => {
    const world = new World();
    const host = await createHost({ world, memory: '16MiB', jit: false });
    const vm = host.createVm({ name: 'vm', memory: '1MiB', firmware: 'none', kernel: SPIN });
    const machine = await createMachine({
      world,
      memory: '1MiB',
      firmware: 'none',
      kernel: SPIN,
      jit: false,
    });
    vm.powerOn();
    machine.powerOn();
    await world.run({ until: 1e6 });
    expect(machine.retired).toBeGreaterThan(900_000);
    expect(vm.retired).toBeGreaterThan(600_000);
  });

  it.each([
    [{ memory: '64MiB' }, /give the host more memory/],
    [{ memory: 100 }, /multiple of 4 KiB/],
    [{ harts: 9 }, /1 to 8 harts/],
    [{ share: { weight: -1 } }, /weight/],
    [{ name: 'vm0' }, /two parts of one world are called vm0/],
  ])('refuses a virtual machine with %o', async (options, sentence) => {
    const { host } = await hostOf(1, {});
    expect(() => host.createVm({ name: 'other', memory: '1MiB', ...options })).toThrow(sentence);
  });

  it.each([
    [{ harts: 0 }, /1 to 64 harts/],
    [{ memory: 1 }, /multiple of 4 KiB/],
    [{ preset: 'vax' }, /there is no cost preset vax/],
  ])('refuses a host with %o', async (options, sentence) => {
    await expect(createHost({ memory: '1MiB', jit: false, ...options })).rejects.toThrow(sentence);
  });
});
