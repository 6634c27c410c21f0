import { physical } from '@vmloom/memory';
import { AplicDriver } from '@vmloom/platform/testing';
import { CSR_MHARTID, CSR_MISELECT } from '@vmloom/riscv';
import { asm } from '@vmloom/riscv/testing';
import { describe, expect, it } from 'vitest';
import { MachineError } from './error.js';
import { cells, findNode, readFdt, strings, type DeviceTreeNode } from './device-tree/index.js';
import { createMachine, type Machine, type MachineOptions } from './machine.js';

const IDENTITY = 42;
/** Where hart 1 leaves what it claimed, from the start of the program. */
const RESULT = 0x400;
const bytesOf = (words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

/** Sets an indirect register of the machine's file. */
const indirect = (register: number, value: readonly number[]): number[] => [
  asm.addi('t0', 'zero', register),
  asm.csrrw('zero', 'miselect', 't0'),
  ...value,
  asm.csrrw('zero', 'mireg', 't1'),
];

/** Hart 0 sends hart 1 a message after a while; hart 1, in WFI, takes the interrupt, claims it and stores it. */
function messenger(): Uint8Array {
  const handler = 0x200;
  const sender = [
    asm.lui('t2', 0x24001),
    asm.addi('t3', 'zero', IDENTITY),
    asm.addi('t4', 'zero', 2000),
    asm.addi('t4', 't4', -1),
    asm.bne('t4', 'zero', -4),
    asm.sw('t3', 0, 't2'),
    asm.jal('zero', 0),
  ];
  const receiver = [
    asm.auipc('t0', 0),
    // Patched below: the distance from here to the handler.
    0,
    asm.csrrw('zero', 'mtvec', 't0'),
    ...indirect(0x70, [asm.addi('t1', 'zero', 1)]),
    ...indirect(0xc0, [asm.addi('t1', 'zero', 1), asm.slli('t1', 't1', IDENTITY)]),
    asm.lui('t1', 1),
    asm.srli('t1', 't1', 1),
    asm.csrrw('zero', 'mie', 't1'),
    asm.csrrsi('zero', 'mstatus', 8),
    asm.wfi(),
    asm.jal('zero', -4),
  ];
  const head = [asm.csrrs('t0', 'mhartid', 'zero'), asm.bne('t0', 'zero', 4 + sender.length * 4)];
  receiver[1] = asm.addi('t0', 't0', handler - (head.length + sender.length) * 4);
  const program = new Uint32Array(0x280 / 4);
  program.set([...head, ...sender, ...receiver]);
  program.set(
    [
      asm.csrrw('t0', 'mtopei', 'zero'),
      asm.auipc('t1', 0),
      asm.sd('t0', RESULT - handler - 4, 't1'),
      asm.csrrs('t0', 'mtopi', 'zero'),
      asm.sd('t0', RESULT - handler + 4, 't1'),
      asm.mret(),
    ],
    handler / 4,
  );
  return bytesOf([...program]);
}

const word = (machine: Machine, offset: number): number =>
  machine.space.load(physical(0x8000_0000 + RESULT + offset), 4);

const make = (options: MachineOptions): Promise<Machine> => createMachine({ memory: '1MiB', ...options });

/** The tree that hart 0 is given. */
async function tree(options: MachineOptions): Promise<{ machine: Machine; root: DeviceTreeNode }> {
  const machine = await make({ kernel: bytesOf([asm.jal('zero', 0)]), memory: '4MiB', ...options });
  machine.powerOn();
  await machine.world.run({ until: 1000 });
  const address = Number(machine.harts[0].readX(11));
  const behind = 0x8000_0000 + machine.ramSize - address;
  return { machine, root: readFdt(machine.space.readBytes(physical(address), behind)).root };
}

describe('aia=aplic-imsic', () => {
  it('AIA 3.5, 3.10: a store to the page of another hart ends its WFI and traps; mtopei claims it', async () => {
    const machine = await make({ aia: 'aplic-imsic', firmware: 'none', harts: 2, kernel: messenger() });
    machine.powerOn();
    await machine.world.run({ until: 1_000_000 });
    expect([word(machine, 0), word(machine, 8)]).toEqual([(IDENTITY << 16) | IDENTITY, 0]);
    expect(machine.world.ledger.total({ owner: 'machine.imsic1', event: 'message-received' })).toBe(1);
    expect(machine.world.ledger.total({ owner: 'machine.imsic1', event: 'interrupt-claimed' })).toBe(1);
    expect(machine.harts[1].interruptPending).toBe(false);
  });

  it('a snapshot between the enables and the message, or with the message pending, goes on as the machine does', async () => {
    for (const when of [200, 2000, 4500]) {
      const options = {
        aia: 'aplic-imsic',
        firmware: 'none',
        harts: 2,
        aiaGuests: 2,
        kernel: messenger(),
      } as const;
      const first = await make(options);
      first.powerOn();
      await first.world.run({ until: when });
      const saved = first.world.save();
      const second = await make(options);
      second.powerOn();
      second.world.restore(saved);
      for (const machine of [first, second]) await machine.world.run({ until: 1_000_000 });
      expect(word(second, 0)).toBe((IDENTITY << 16) | IDENTITY);
      expect(second.world.save()).toEqual(first.world.save());
    }
  });

  it('a message that arrives in WFI wakes the hart the same in every run', async () => {
    const times: number[] = [];
    for (let run = 0; run < 2; run++) {
      const machine = await make({ aia: 'aplic-imsic', firmware: 'none', harts: 2, kernel: messenger() });
      machine.powerOn();
      await machine.world.run({ until: 500_000 });
      times.push(machine.harts[1].retired, machine.harts[1].localTime);
    }
    expect(times.slice(0, 2)).toEqual(times.slice(2));
  });

  it('IMSIC pages are hardware of the hart: accesses to them are no exits; accesses to the APLIC are', async () => {
    const { machine } = await tree({ aia: 'aplic-imsic', aiaGuests: 1, harts: 2, firmware: 'none' });
    expect(machine.space.describe(physical(0x2400_1000))).toEqual({ name: 'imsic-m.1', kind: 'direct' });
    expect(machine.space.describe(physical(0x2800_2000))).toEqual({ name: 'imsic-s.1', kind: 'direct' });
    expect(machine.space.describe(physical(0x2800_4000))).toBeUndefined();
    expect(machine.space.describe(physical(0x0c00_0000))).toEqual({ name: 'aplic-m', kind: 'trapped' });
    expect(machine.space.describe(physical(0x0d00_7fff))).toEqual({ name: 'aplic-s', kind: 'trapped' });
  });
});

describe('what the built-in firmware hands over', () => {
  it("AIA 4.5.2, 4.5.3: all sources are the supervisor domain's, and message addresses are locked", async () => {
    const { machine } = await tree({ aia: 'aplic-imsic', harts: 4, aiaGuests: 3, firmware: 'sbi' });
    const domain = new AplicDriver(machine.board.interrupts.aplic!.machine);
    expect([1, 96].map((source) => domain.configuration(source))).toEqual([0x400, 0x400]);
    expect([0x1bc0, 0x1bc4, 0x1bc8, 0x1bcc].map((offset) => domain.read(offset))).toEqual([
      0x2_4000, 0x8000_2000, 0x2_8000, 0x0020_0000,
    ]);
  });

  it('AIA 4.9.1: a wired interrupt of the supervisor domain comes to the file of the hart and the guest', async () => {
    const { machine } = await tree({ aia: 'aplic-imsic', harts: 3, aiaGuests: 3, firmware: 'sbi' });
    const { aplic, imsics } = machine.board.interrupts;
    const domain = new AplicDriver(aplic!.supervisor);
    const pair = new Uint32Array(2);
    domain.enabled = true;
    for (const [hart, guest, file] of [
      [0, 0, 1],
      [2, 0, 1],
      [1, 3, 4],
    ]) {
      domain.configure(7, 1);
      domain.setTarget(7, hart, (guest << 12) | 9);
      domain.enable(7);
      domain.pend(7);
      await machine.world.run({ until: machine.world.clock.now + 1000 });
      imsics[hart].read(file, 0x80, pair);
      expect([hart, guest, pair[0]]).toEqual([hart, guest, 1 << 9]);
    }
  });

  it('the machine level is disabled in the tree, as OpenSBI does it; M-mode software sees both', async () => {
    for (const [firmware, status] of [
      ['sbi', ['disabled']],
      ['none', undefined],
    ] as const) {
      const { root } = await tree({ aia: 'aplic-imsic', firmware });
      for (const path of ['/soc/aplic@c000000', '/soc/imsics@24000000']) {
        const found = findNode(root, path)!;
        expect(found.properties.has('status') ? strings(found, 'status') : undefined).toEqual(status);
      }
      for (const path of ['/soc/aplic@d000000', '/soc/imsics@28000000']) {
        expect(findNode(root, path)!.properties.has('status')).toBe(false);
      }
    }
  });
});

describe('boards', () => {
  it('smaia and ssaia are there with an IMSIC, as the CSRs are', async () => {
    for (const [aia, there] of [
      ['none', false],
      ['aplic', false],
      ['aplic-imsic', true],
    ] as const) {
      const { machine, root } = await tree({ aia });
      const extensions = strings(findNode(root, '/cpus/cpu@0')!, 'riscv,isa-extensions');
      expect([extensions.includes('smaia'), extensions.includes('ssaia')]).toEqual([there, there]);
      expect(strings(findNode(root, '/cpus/cpu@0')!, 'riscv,isa')[0].endsWith('_smaia_ssaia')).toBe(there);
      const [hart] = machine.harts;
      expect(hart.readCsr(CSR_MHARTID)).toBe(0n);
      if (there) expect(hart.readCsr(CSR_MISELECT)).toBe(0n);
      else expect(() => hart.readCsr(CSR_MISELECT)).toThrow(/no CSR/);
      const pci = findNode(root, '/soc/pci@30000000')!;
      expect(pci.properties.has('msi-parent')).toBe(there);
      if (there) {
        expect(cells(pci, 'msi-parent')).toEqual(cells(findNode(root, '/soc/imsics@28000000')!, 'phandle'));
      }
    }
  });

  it('guest files need an IMSIC, and there are 7 at most', async () => {
    for (const options of [
      { aiaGuests: 1 },
      { aia: 'aplic', aiaGuests: 1 },
      { aia: 'aplic-imsic', aiaGuests: 8 },
      { aia: 'aplic-imsic', aiaGuests: -1 },
      { aia: 'aplic-imsic', aiaGuests: 1.5 },
    ] as const) {
      await expect(make(options)).rejects.toThrow(MachineError);
    }
  });

  it('a snapshot of another controller is refused', async () => {
    const made = await Promise.all(
      (['none', 'aplic', 'aplic-imsic'] as const).map((aia) => make({ aia, firmware: 'none' })),
    );
    for (const one of made) {
      for (const other of made) {
        if (one !== other) expect(() => other.restore(one.save())).toThrow();
      }
    }
  });
});
