import { describe, expect, it } from 'vitest';
import { HostBench, TEST_PRESET } from './testing/index.js';
import type { Worker } from './work.js';

const UART = 0x1000_0000;

describe('Vcpu', () => {
  it('exit WFI: the vCPU sleeps, uses no time, and an interrupt wakes it', () => {
    const bench = new HostBench();
    const { guest, vcpu } = bench.guest('a');
    guest.every = (one) => one.leave('wfi');
    bench.run(10_000);
    expect([guest.retired, bench.count('a', 'exit', 'wfi'), vcpu.halted]).toEqual([1, 1, true]);
    expect(bench.count('a', 'cpu-ns')).toBe(1 + TEST_PRESET.exitKernel + TEST_PRESET.contextSwitch);
    vcpu.setInterrupt(9, true);
    bench.run(20_000);
    expect(guest.retired).toBeGreaterThan(1);
    expect(bench.count('a', 'interrupt', 'injected')).toBe(1);
    expect(bench.count('a', 'vmm-cycles', 'inject')).toBe(TEST_PRESET.inject);
  });

  it('exit SBI: charged, and the machine hears of it at the vCPU’s time', () => {
    const bench = new HostBench();
    const { guest } = bench.guest('a');
    guest.script.set(5, (one) => one.leave('sbi'));
    bench.run(1000);
    expect(guest.exits).toEqual(['sbi']);
    expect(bench.count('a', 'vmm-cycles', 'hypercall')).toBe(TEST_PRESET.hypercall);
    expect(guest.retired).toBe(1000 - TEST_PRESET.hypercall - TEST_PRESET.contextSwitch);
  });

  it.each(['breakpoint', 'fatal'] as const)(
    'exit %s: the machine decides what becomes of the vCPU',
    (exit) => {
      const bench = new HostBench();
      const { guest } = bench.guest('a');
      guest.script.set(5, (one) => {
        one.leave(exit);
        one.runnable = false;
      });
      bench.run(1000);
      expect([guest.exits, guest.retired]).toEqual([[exit], 5]);
    },
  );

  it('exit MMIO: trapped registers cost by who emulates them, direct ones what a device costs', () => {
    const bench = new HostBench();
    const { guest, vcpu } = bench.guest('a');
    const { space } = vcpu.vm;
    const seen: number[] = [];
    const handler = {
      read: () => {
        seen.push(bench.clock.now);
        return 7;
      },
      write: () => undefined,
    };
    const names = ['uart', 'plic', 'nic/BAR0/registers', 'vnet/BAR4/notify', 'real/BAR0/registers'];
    names.forEach((name, index) => space.mapMmio({ name, base: UART + index * 4096, size: 4096, handler }));
    vcpu.vm.classify('vnet/BAR4/notify', 'exitDoorbell');
    vcpu.vm.classify('real/', 'direct');
    names.forEach((_, index) =>
      guest.script.set(index + 1, () => void space.load((UART + index * 4096) as never, 4)),
    );
    bench.run(5000);
    const { exitUser, exitKernel, exitDoorbell, deviceRead, contextSwitch } = TEST_PRESET;
    expect(bench.count('a', 'vmm-cycles', 'exitUser')).toBe(2 * exitUser);
    expect(bench.count('a', 'vmm-cycles', 'exitKernel')).toBe(exitKernel);
    expect(bench.count('a', 'vmm-cycles', 'exitDoorbell')).toBe(exitDoorbell);
    // The device is asked after the exit has taken its time.
    expect(seen[0]).toBe(contextSwitch + 1 + exitUser);
    const vmm = 2 * exitUser + exitKernel + exitDoorbell;
    expect(guest.retired).toBe(5000 - contextSwitch - vmm - deviceRead);
    expect(bench.count('a', 'cpu-ns', 'guest')).toBe(guest.retired + deviceRead);
  });

  it('DMA and loaders cause no exits', () => {
    const bench = new HostBench();
    const { vcpu } = bench.guest('a');
    const { space } = vcpu.vm;
    const handler = { read: () => 0, write: () => undefined };
    space.mapMmio({ name: 'uart', base: UART, size: 4096, handler });
    space.store(UART as never, 4, 1);
    expect(bench.count('a', 'vmm-cycles', 'exitUser')).toBe(0);
  });

  it('native: nothing is an exit, nothing is injected', () => {
    const bench = new HostBench();
    const { guest, vcpu } = bench.guest('a', {}, true);
    guest.script.set(3, (one) => one.leave('wfi'));
    bench.run(100);
    vcpu.setInterrupt(9, true);
    bench.run(1000);
    expect(guest.retired).toBe(3 + 900);
    expect(bench.ledger.total({ owner: 'a', event: 'exit' })).toBe(0);
    expect(bench.count('a', 'cpu-ns', 'vmm')).toBe(0);
    expect(bench.count('a', 'interrupt', 'injected')).toBe(0);
  });

  it('injection into a running vCPU forces it out; into a sleeping one it does not', () => {
    const bench = new HostBench();
    const { vcpu } = bench.guest('a');
    bench.run(1000);
    vcpu.setInterrupt(9, true);
    bench.run(2000);
    expect(bench.count('a', 'exit', 'interrupt')).toBe(1);
    // A level that stays is no further interrupt.
    vcpu.setInterrupt(9, true);
    bench.run(3000);
    expect(bench.count('a', 'interrupt', 'injected')).toBe(1);
  });

  it('the VMM’s thread: the guest waits while a back end works', () => {
    const bench = new HostBench();
    const { guest, vcpu } = bench.guest('a');
    const done: number[] = [];
    const to: Worker = {
      name: 'nic.back-end',
      perform: () => {
        done.push(bench.clock.now);
        return 5000;
      },
    };
    bench.run(1000);
    const before = guest.retired;
    vcpu.submit({ when: 1000, to, kind: 'event', event: 'transmit', args: {} });
    bench.run(6000);
    expect(done).toEqual([1000]);
    expect(guest.retired).toBe(before);
    bench.run(7000);
    expect(guest.retired).toBe(before + 1000);
  });
});
