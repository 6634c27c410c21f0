import { physical } from '@vmloom/memory';
import { CSR_MSCRATCH, CSR_SATP, type Hart } from '@vmloom/riscv';
import { asm, PageTables, PTE_KERNEL, PTE_USER, RAM_BASE } from '@vmloom/riscv/testing';
import { describe, expect, it } from 'vitest';
import { MachineTarget } from './machine-target.js';
import { GdbSession } from './session.js';
import { GdbClient, SmallMachine } from './testing/index.js';

/** Instructions of {@link counting}. */
const [INCREMENT, STORE, CALLED] = [RAM_BASE + 4, RAM_BASE + 8, RAM_BASE + 0x40];
const CELL = RAM_BASE + 0x2000;

/** Each hart counts in a0, stores the count at CELL + 8 * mhartid, and calls a function, for ever. */
async function counting(options: Parameters<typeof SmallMachine.create>[0] = {}) {
  const machine = await SmallMachine.create(options);
  machine.bare.load(RAM_BASE, [
    asm.jal('zero', 4),
    asm.addi('a0', 'a0', 1),
    asm.sd('a0', 0, 's0'),
    asm.jal('ra', CALLED - RAM_BASE - 12),
    asm.jal('zero', -12),
  ]);
  machine.bare.load(CALLED, [asm.addi('a1', 'a0', 0), asm.jalr('zero', 0, 'ra')]);
  machine.harts.forEach((hart, id) => hart.writeX(8, BigInt(CELL + 8 * id)));
  return attach(machine);
}

/** Instructions of {@link copying}: behind the load, behind the store; and how many there are. */
const [LOADED, STORED, COPY_LOOP] = [RAM_BASE + 4, RAM_BASE + 12, 5];

/** Loads CELL, adds one, stores it there, loads what lies behind, for ever. */
async function copying() {
  const machine = await SmallMachine.create();
  machine.bare.load(RAM_BASE, [
    asm.ld('a0', 0, 's0'),
    asm.addi('a0', 'a0', 1),
    asm.sd('a0', 0, 's0'),
    asm.ld('a1', 8, 's0'),
    asm.jal('zero', -16),
  ]);
  machine.harts[0].writeX(8, BigInt(CELL));
  return attach(machine);
}

function attach(machine: SmallMachine) {
  const target = new MachineTarget(machine);
  const session: GdbSession = new GdbSession({ target, send: (bytes) => client.receive(bytes) });
  const client: GdbClient = new GdbClient((bytes) => session.receive(bytes));
  return { machine, target, session, client, hart: machine.harts[0] };
}

const hex = (value: number | bigint): string => value.toString(16);
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('a machine as a target', () => {
  it('attaching stops it, detaching lets it go on without breakpoints', async () => {
    const { client, machine, hart } = await counting();
    await client.ask(`Z0,${hex(INCREMENT)},4`);
    machine.world.start();
    await later();
    expect(hart.retired).toBe(0);
    expect(await client.ask('D')).toBe('OK');
    await later();
    expect(hart.retired).toBeGreaterThan(1000);
    expect(machine.debugger).toBeUndefined();
    machine.world.stop();
  });

  it.each([
    ['Z0', 'swbreak'],
    ['Z1', 'hwbreak'],
  ])('%s: stops before the instruction; memory keeps its bytes', async (point, reason) => {
    const { client, hart, machine } = await counting();
    await client.ask('qSupported:swbreak+;hwbreak+');
    const before = machine.space.readBytes(physical(RAM_BASE), 0x100).slice();
    await client.ask(`${point},${hex(CALLED)},4`);
    expect(await client.ask('vCont;c')).toBe(`T05thread:1;${reason}:;`);
    expect([hart.pc, hart.readX(10), hart.readX(11)]).toEqual([BigInt(CALLED), 1n, 0n]);
    expect(machine.space.readBytes(physical(RAM_BASE), 0x100)).toEqual(before);
    // At its breakpoint it stays until the debugger steps over it.
    expect(await client.ask('c')).toBe(`T05thread:1;${reason}:;`);
    expect(hart.readX(10)).toBe(1n);
    expect(await client.ask('vCont;s:1')).toBe('T05thread:1;');
    expect(hart.pc).toBe(BigInt(CALLED + 4));
    expect(await client.ask('c')).toBe(`T05thread:1;${reason}:;`);
    expect(hart.readX(10)).toBe(2n);
    await client.ask(`${point.toLowerCase()},${hex(CALLED)},4`);
    client.send('c');
    await later();
    client.interrupt();
    expect(await client.next()).toBe('T02thread:1;');
    expect(hart.readX(10)).toBeGreaterThan(10n);
  });

  it('256 breakpoints; one more is refused', async () => {
    const { client } = await counting();
    for (let index = 0; index < 256; index++) expect(await client.ask(`Z0,${hex(index * 2)},2`)).toBe('OK');
    expect(await client.ask('Z1,9000,2')).toBe('E16');
    expect(await client.ask('Z0,0,2')).toBe('OK');
    expect(await client.ask('z0,0,2')).toBe('OK');
    expect(await client.ask('Z1,9000,2')).toBe('OK');
  });

  it('s: one instruction exactly, of the hart that is asked', async () => {
    const { client, machine } = await counting({ harts: 2 });
    const [first, second] = machine.harts as [Hart, Hart];
    for (let count = 1; count <= 7; count++) {
      expect(await client.ask('vCont;s:2')).toBe('T05thread:2;');
      expect([first.retired, second.retired]).toEqual([0, count]);
    }
    await client.ask('vCont;s:2;c');
    expect(second.retired).toBe(8);
    expect(first.retired).toBeGreaterThan(0);
  });

  it('harts are threads, each with its registers and a few words', async () => {
    const { client, machine } = await counting({ harts: 3 });
    expect(await client.ask('qfThreadInfo')).toBe('m1,2,3');
    await client.ask('Hg3');
    expect(await client.ask('p8')).toBe('1020008000000000');
    const words = Buffer.from(await client.ask('qThreadExtraInfo,3'), 'hex').toString();
    expect(words).toBe('hart2 M-mode');
    await client.ask(`Z0,${hex(INCREMENT)},4`);
    expect(await client.ask('vCont;c:2')).toMatch(/thread:2;/);
    expect(machine.harts.map(({ retired }) => retired)).toEqual([0, 1, 0]);
  });

  it('registers: x, pc, f, CSRs and the mode, read and written', async () => {
    const { client, hart } = await counting();
    for (const [register, value, number, read] of [
      ['5', '0807060504030201', 0x0102030405060708n, () => hart.readX(5)],
      ['20', '0807060504030200', 0x0002030405060708n, () => hart.pc],
      ['21', '0706050403020180', 0x8001020304050607n, () => hart.readF(0)],
      ['381', '0900000000000000', 9n, () => hart.readCsr(CSR_MSCRATCH)],
    ] as const) {
      expect(await client.ask(`P${register}=${value}`)).toBe('OK');
      expect(await client.ask(`p${register}`)).toBe(value);
      expect(read()).toBe(number);
    }
    expect(await client.ask('P42=1f000000')).toBe('OK');
    expect(await client.ask('p44')).toBe('1f000000');
    expect(await client.ask('P1041=0100000000000000')).toBe('OK');
    expect(hart.privilege).toBe(1);
    expect(await client.ask('P1041=0200000000000000')).toBe('E14');
    // cycle is read-only (privileged architecture 2.1).
    expect(await client.ask('Pc41=0000000000000000')).toBe('E14');
    expect(await client.ask('P0=0100000000000000')).toBe('OK');
    expect(await client.ask('p0')).toBe('0000000000000000');
  });

  it('every register of target.xml can be read', async () => {
    const { client, target } = await counting();
    const numbers = [...target.description.matchAll(/bitsize="(\d+)" regnum="(\d+)"/g)];
    expect(numbers.length).toBeGreaterThan(110);
    for (const [, bits, number] of numbers) {
      const value = await client.ask(`p${hex(Number(number))}`);
      expect([number, value.length * 4]).toEqual([number, Number(bits)]);
    }
  });

  it('memory by the virtual addresses of the hart, of the kernel and of the user', async () => {
    const { client, machine, hart } = await counting({ hart: { hostFirmware: true } });
    const tables = new PageTables(machine.bare);
    tables.map(0x10_0000n, BigInt(CELL), PTE_KERNEL);
    tables.map(0x10_1000n, BigInt(RAM_BASE), PTE_USER);
    hart.writeCsr(CSR_SATP, tables.satp());
    machine.bare.write64(CELL + 0xff8, 0x1122_3344_5566_7788n);
    const code = Buffer.from(machine.space.readBytes(physical(RAM_BASE), 4)).toString('hex');
    expect(await client.ask('m100ff8,c')).toBe(`8877665544332211${code}`);
    expect(await client.ask('m101000,10000').then((text) => text.length)).toBe(0x2000);
    expect(await client.ask(`m${hex(CELL)},8`)).toBe('E14');
    expect(await client.ask('M100ffe,4:0a0b0c0d')).toBe('OK');
    expect(machine.bare.read64(CELL + 0xff8) >> 48n).toBe(0x0b0an);
    expect(await client.ask('M101ffe,4:00000000')).toBe('E14');
    expect(hart.privilege).toBe(1);
  });

  it('a device is no memory: looking at it would change it', async () => {
    const { client, machine } = await counting();
    let reads = 0;
    const read = (): number => ++reads;
    machine.space.mapMmio({
      name: 'device',
      base: 0x1000,
      size: 0x1000,
      handler: { read, write: () => undefined },
    });
    expect(await client.ask('m1000,4')).toBe('E14');
    expect(await client.ask('mffffffffffffffff,4')).toBe('E14');
    expect(reads).toBe(0);
  });

  it('code that the debugger writes is what runs', async () => {
    const { client, hart } = await counting();
    await client.ask(`Z0,${hex(STORE)},4`);
    await client.ask('c');
    expect(hart.readX(10)).toBe(1n);
    const word = new Uint32Array([asm.addi('a0', 'a0', 100)]);
    await client.ask(`M${hex(INCREMENT)},4:${Buffer.from(word.buffer).toString('hex')}`);
    await client.ask('vCont;s');
    await client.ask('c');
    expect(hart.readX(10)).toBe(101n);
  });

  it('Z2: stops behind the store to a watched byte, by whichever hart', async () => {
    const { client, machine } = await counting({ harts: 2 });
    const [, second] = machine.harts;
    expect(await client.ask(`Z2,${hex(CELL + 12)},1`)).toBe('OK');
    expect(await client.ask('vCont;c')).toBe(`T05thread:2;watch:${hex(CELL + 12)};`);
    expect([second.pc, second.readX(10)]).toEqual([BigInt(STORE + 4), 1n]);
    expect(machine.bare.read64(CELL + 8)).toBe(1n);
    expect(await client.ask(`M${hex(CELL + 8)},8:0000000000000000`)).toBe('OK');
    expect(await client.ask('vCont;c')).toBe(`T05thread:2;watch:${hex(CELL + 12)};`);
    expect(second.readX(10)).toBe(2n);
    await client.ask(`z2,${hex(CELL + 12)},1`);
    client.send('c');
    await later();
    expect(client.unread).toEqual([]);
    client.interrupt();
    await client.next();
  });

  it('Z2: a store by DMA is seen too', async () => {
    const { client, machine } = await counting();
    await client.ask(`Z2,${hex(CELL + 0x100)},8`);
    client.send('c');
    await later();
    machine.space.writeBytes(physical(CELL + 0xf8), new Uint8Array(16));
    expect(await client.next()).toBe(`T05thread:1;watch:${hex(CELL + 0x100)};`);
    expect(await client.ask('Z2,4,8')).toBe('E14');
    expect(await client.ask(`Z2,${hex(CELL)},0`)).toBe('E14');
  });

  it('Z3: stops behind the load of a watched byte; stores and neighbours pass', async () => {
    const { client, machine, hart } = await copying();
    // The translation buffer knows the page already.
    for (let count = 0; count < 8; count++) await client.ask('vCont;s:1');
    expect(await client.ask(`Z3,${hex(CELL + 4)},2`)).toBe('OK');
    expect(await client.ask('vCont;c')).toBe(`T05thread:1;rwatch:${hex(CELL + 4)};`);
    expect([hart.pc, hart.readX(10)]).toEqual([BigInt(LOADED), machine.bare.read64(CELL)]);
    const before = hart.retired;
    // Once around the loop: the store into the same bytes does not count.
    expect(await client.ask('vCont;c')).toBe(`T05thread:1;rwatch:${hex(CELL + 4)};`);
    expect(hart.retired - before).toBe(COPY_LOOP);
    // The debugger's own look is no load.
    expect(await client.ask(`m${hex(CELL)},8`)).toHaveLength(16);
    expect(await client.ask(`z3,${hex(CELL + 4)},2`)).toBe('OK');
    client.send('c');
    await later();
    expect(client.unread).toEqual([]);
    client.interrupt();
    await client.next();
  });

  it('Z4: stops behind the load and behind the store', async () => {
    const { client, hart } = await copying();
    expect(await client.ask(`Z4,${hex(CELL)},8`)).toBe('OK');
    for (const pc of [LOADED, STORED, LOADED, STORED]) {
      expect(await client.ask('vCont;c')).toBe(`T05thread:1;awatch:${hex(CELL)};`);
      expect(hart.pc).toBe(BigInt(pc));
    }
  });

  it('Z2, Z3 and Z4 of the same bytes are told apart, and each goes alone', async () => {
    const { client, hart } = await copying();
    for (const type of [2, 3]) await client.ask(`Z${type},${hex(CELL)},8`);
    expect(await client.ask('c')).toBe(`T05thread:1;rwatch:${hex(CELL)};`);
    expect(await client.ask('c')).toBe(`T05thread:1;watch:${hex(CELL)};`);
    await client.ask(`z3,${hex(CELL)},8`);
    expect(await client.ask('c')).toBe(`T05thread:1;watch:${hex(CELL)};`);
    expect(hart.pc).toBe(BigInt(STORED));
    // A smaller one of loads in the same page still hears of its own.
    await client.ask(`Z4,${hex(CELL)},8`);
    await client.ask(`Z3,${hex(CELL)},1`);
    await client.ask(`z4,${hex(CELL)},8`);
    expect(await client.ask('c')).toBe(`T05thread:1;rwatch:${hex(CELL)};`);
  });

  it('a step whose instruction stores to a watched byte is the watchpoint', async () => {
    const { client } = await counting();
    await client.ask(`Z0,${hex(STORE)},4`);
    await client.ask(`Z2,${hex(CELL)},8`);
    await client.ask('c');
    expect(await client.ask('vCont;s')).toBe(`T05thread:1;watch:${hex(CELL)};`);
  });

  it('the end of the machine is W and its status; nothing goes on from there', async () => {
    const { client, machine } = await counting();
    client.send('c');
    await later();
    machine.powerOff(3);
    expect(await client.next()).toBe('W03');
    expect(await client.ask('?')).toBe('W03');
    expect(await client.ask('c')).toBe('W03');
    const late = attach(machine);
    expect(await late.client.ask('?')).toBe('W03');
  });

  it('k ends the machine, or does what the host wants instead', async () => {
    const { client, machine, session } = await counting();
    client.send('k');
    await session.settled();
    expect(machine.state).toBe('off');
    const other = await SmallMachine.create();
    const log: string[] = [];
    const target = new MachineTarget(other, {
      pause: () => void log.push('pause'),
      resume: () => void log.push('resume'),
      kill: () => void log.push('kill'),
    });
    target.attach();
    target.resume(['run']);
    target.kill();
    expect(log).toEqual(['pause', 'resume', 'kill']);
    expect(other.state).toBe('on');
  });
});
