import type { EventOwner } from '@vmloom/device';
import { hostOffset, PAGE_WATCHED, physical, type HandlerWidth, type HostMemory } from '@vmloom/memory';
import {
  CSR_MCOUNTEREN,
  CSR_MEDELEG,
  CSR_MENVCFG,
  CSR_MIDELEG,
  CSR_MIE,
  CSR_MSCRATCH,
  CSR_MSTATUS,
  CSR_MTVEC,
  CSR_PMPADDR0,
  CSR_PMPCFG0,
  CSR_SATP,
  CSR_SCOUNTEREN,
  CSR_SSCRATCH,
  CSR_STVEC,
} from '../csr-numbers.js';
import type { Hart, InterruptBit } from '../hart.js';
import type { LockstepSide } from '../lockstep.js';
import { bareMachine, type BareMachine, type BareOptions } from './bare-machine.js';
import { CONSTANTS, SLOT_ENTRIES } from './random-events.js';
import {
  DEVICE,
  kernelAddress,
  PLACE,
  RAM_SIZE,
  SAVE_SIZE,
  SUPERVISOR_SAVE,
  WINDOW_PAGES,
} from './random-layout.js';
import { buildAddressSpaces, SATPS } from './random-paging.js';
import { randomProgram, supervisorVector, type RandomProgram } from './random-program.js';
import { RECOVER, SAVE } from './random-traps.js';
import { Random } from './random.js';

export interface RandomSideOptions {
  readonly name: string;
  readonly seed: number;
  /** 1 unless told. */
  readonly harts?: number;
  /** For the machine: how its harts run. */
  readonly machine?: Pick<BareOptions, 'codePages' | 'jit'>;
}

const PAGE = 4096;
const STACK = 4096;
const WATCHED_PAGE = 3;
/** Of the addresses in that page these bits are zero in those that stop a hart. */
const WATCHED_BITS = 0x78;
const FEW_CODE_PAGES = 6;
const MANY_CODE_PAGES = 64;
/** The most a hart runs before another one's turn. */
const TURN = 700;
const STCE = 1n << 63n;
const ADUE = 1n << 61n;
const FS_INITIAL = 0x2000n;
const SUM = 0x4_0000n;
const ALL_INTERRUPTS = 0xaaan;
const MTIP = 7;
const LINES: readonly InterruptBit[] = [1, 3, 7, 9, 11];

/** A random program on a machine of its own, with a device and whatever else disturbs a program. */
export class RandomSide implements LockstepSide, EventOwner {
  readonly name: string;
  readonly memory: HostMemory;
  readonly harts: readonly Hart[];
  readonly #random: Random;
  #retired = 0;
  #nextEvent = 1000;
  #hart = 0;
  #turn = TURN;
  #accesses = 0;
  #broken = false;

  private constructor(
    readonly machine: BareMachine,
    readonly program: RandomProgram,
    options: RandomSideOptions,
  ) {
    this.name = options.name;
    this.memory = machine.memory;
    this.harts = machine.harts;
    this.#random = new Random(options.seed ^ 0x1234_5678);
    machine.clock.register(this);
    this.#watch();
    machine.space.mapMmio({
      name: 'device',
      base: PLACE.device,
      size: PAGE,
      handler: {
        read: (offset, width) => this.#read(offset, width),
        write: (offset, _width, value) => this.#write(offset, value),
      },
    });
  }

  /** Somebody is told of stores to a page that programs use all the time, and now and then stops the hart for it. */
  #watch(): void {
    const { memory, space } = this.machine;
    const page = space.resolve(physical(PLACE.data + WATCHED_PAGE * PAGE), PAGE) / PAGE;
    memory.flags.set(page, PAGE_WATCHED);
    memory.flags.onStore(PAGE_WATCHED, (offset) => {
      if ((offset & WATCHED_BITS) !== 0) return;
      this.harts[this.#hart].requestStop();
    });
  }

  /** The same program and the same disturbances for the same seed. */
  static async create(options: RandomSideOptions): Promise<RandomSide> {
    const machine = await bareMachine({
      // Every code page at once, or so few that they drive each other out.
      codePages: options.seed % 5 === 4 ? FEW_CODE_PAGES : MANY_CODE_PAGES,
      ...options.machine,
      // Shared memory where the host gives it.
      memory: { ram: RAM_SIZE, shared: options.seed % 3 === 2 && typeof SharedArrayBuffer !== 'undefined' },
      harts: options.harts ?? 1,
    });
    const program = randomProgram(options.seed, SATPS);
    load(machine, program);
    return new RandomSide(machine, program, options);
  }

  /** Instructions, of all harts together. */
  advance(length: number): void {
    const { clock } = this.machine;
    const end = this.#retired + length;
    while (this.#retired < end) {
      if (this.#retired >= this.#nextEvent) this.#disturb();
      if (this.#turn === 0) {
        this.#hart = (this.#hart + 1) % this.harts.length;
        this.#turn = TURN;
      }
      const hart = this.harts[this.#hart];
      clock.runUntil(hart.localTime);
      const due = clock.nextEvent;
      const count = Math.min(
        end - this.#retired,
        this.#nextEvent - this.#retired,
        this.#turn,
        Number.isFinite(due) ? Math.max(1, hart.instructionsUntil(due)) : Infinity,
      );
      clock.beginSlice(Math.min(due, hart.localTime + count), (when) => hart.shortenTo(when));
      const done = hart.run(count);
      clock.endSlice();
      this.#retired += done;
      this.#turn -= done;
      this.#left(hart);
    }
  }

  /** The device's timer. */
  onEvent(): void {
    this.harts[0].setInterrupt(MTIP, true);
  }

  #left(hart: Hart): void {
    if (hart.exit === 'wfi' && !hart.interruptPending) this.#wake(hart);
    else if (hart.exit === 'fatal') {
      hart.privilege = 3;
      hart.pc = BigInt(PLACE.machineHandler + RECOVER);
    } else if (hart.exit === 'breakpoint') {
      hart.breakpoints = false;
      const done = hart.run(1);
      this.#retired += done;
      this.#turn = Math.max(0, this.#turn - done);
      hart.breakpoints = true;
    }
  }

  /** Nothing may come that the hart waits for: then something does. */
  #wake(hart: Hart): void {
    const { clock } = this.machine;
    const due = clock.nextEvent;
    if (Number.isFinite(due)) hart.skipTo(due);
    clock.runUntil(hart.localTime);
    if (hart.interruptPending) return;
    hart.writeCsr(CSR_MIE, ALL_INTERRUPTS);
    hart.setInterrupt(MTIP, true);
  }

  #disturb(): void {
    const random = this.#random;
    this.#nextEvent = this.#retired + 1 + random.below(random.pick([50, 2000, 8000]));
    if (this.#broken) this.#setBreakpoints([]);
    const hart = random.pick(this.harts);
    switch (random.below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        hart.setInterrupt(random.pick(LINES), random.below(4) !== 0);
        break;
      case 6:
      case 7:
      case 8:
      case 9:
        this.#patch(random.u32());
        break;
      case 10:
      case 11:
        this.#storeData(random);
        break;
      case 12:
        // Drops all compiled code, so it must not happen often.
        if (random.below(4) === 0) this.#breakSomewhere(random);
        break;
      case 13:
        hart.restore(hart.save());
        break;
      default:
        hart.writeF(random.below(32), random.u64());
    }
  }

  /** A device stores an instruction over another one, across pages too. */
  #patch(choice: number): void {
    const { program, memory, machine } = this;
    const halves = program.slots[choice % program.slots.length];
    const index = (choice >>> 8) % SLOT_ENTRIES;
    const at = halves.length === 1 ? CONSTANTS.halves + index * 2 : CONSTANTS.words + index * 4;
    const bytes = program.constants.slice(at, at + halves.length * 2);
    const [first, second] = halves.map((address) => machine.space.resolve(physical(address), 2));
    if (second === undefined || second === first + 2) return memory.write(hostOffset(first), bytes);
    memory.write(hostOffset(first), bytes.subarray(0, 2));
    memory.write(hostOffset(second), bytes.subarray(2));
  }

  #storeData(random: Random): void {
    const place = random.pick([PLACE.data, PLACE.trouble]);
    const bytes = new Uint8Array(1 + random.below(5000)).map(() => random.u32());
    const at = place + random.below(WINDOW_PAGES * PAGE - bytes.length);
    this.machine.space.writeBytes(physical(at), bytes);
  }

  /** For a while: in a hot loop a breakpoint costs more than everything else. */
  #breakSomewhere(random: Random): void {
    const { functions, slots } = this.program;
    this.#setBreakpoints(
      [0, 1].map(() => BigInt(random.below(2) === 0 ? random.pick(functions) : random.pick(slots)[0])),
    );
    this.#nextEvent = Math.min(this.#nextEvent, this.#retired + 400);
  }

  #setBreakpoints(addresses: readonly bigint[]): void {
    this.machine.core.setBreakpoints(addresses);
    this.#broken = addresses.length > 0;
  }

  /** An answer that tells when it was asked for. */
  #read(offset: number, width: HandlerWidth): number {
    const value = Math.imul(offset + 1, 0x9e37_79b9) ^ (this.machine.clock.now + this.#accesses++);
    return width === 4 ? value >>> 0 : value & (width === 2 ? 0xffff : 0xff);
  }

  #write(offset: number, value: number): void {
    const { clock } = this.machine;
    const line = LINES.find((bit) => bit === (value & 15));
    this.#accesses++;
    if (offset === DEVICE.acknowledge) {
      for (const hart of this.harts) if (line !== undefined) hart.setInterrupt(line, false);
    } else if (offset === DEVICE.raise) {
      if (line !== undefined)
        this.harts[(value >>> 4) & 1 & (this.harts.length - 1)].setInterrupt(line, true);
    } else if (offset === DEVICE.dma) this.#patch(value);
    else if (offset === DEVICE.timer) clock.schedule(this, 'timer', clock.now + (value & 0x3ff));
    else if (offset === DEVICE.stop) for (const hart of this.harts) hart.requestStop();
  }
}

function load(machine: BareMachine, program: RandomProgram): void {
  const random = new Random(program.seed ^ 0x0bad_cafe);
  for (const { bytes, pages } of program.images) {
    pages.forEach((page, index) => machine.load(page, bytes.slice(index * PAGE, (index + 1) * PAGE)));
  }
  const entries = buildAddressSpaces(machine, random, program);
  machine.load(PLACE.constants, program.constants);
  entries.forEach(([slot, value], index) => {
    machine.write64(PLACE.constants + CONSTANTS.entries + index * 16, BigInt(slot));
    machine.write64(PLACE.constants + CONSTANTS.entries + index * 16 + 8, value);
  });
  machine.write64(PLACE.state, random.u64() | 1n);
  const data = new Uint8Array(WINDOW_PAGES * PAGE).map(() => random.u32());
  machine.load(PLACE.data, data);
  machine.load(PLACE.trouble, data);
  for (const hart of machine.harts) start(machine, hart, random);
}

function start(machine: BareMachine, hart: Hart, random: Random): void {
  const save = PLACE.save + hart.id * SAVE_SIZE;
  const stack = BigInt(PLACE.stacks + (hart.id + 1) * 2 * STACK - 1024);
  for (const area of [save, save + SUPERVISOR_SAVE]) {
    machine.write64(area + SAVE.stack, stack);
    machine.write64(area + SAVE.seed, random.u64() | 1n);
  }
  const csrs: readonly (readonly [number, bigint])[] = [
    [CSR_PMPADDR0, (1n << 54n) - 1n],
    [CSR_PMPCFG0, 0x1fn],
    [CSR_MTVEC, BigInt(PLACE.machineHandler)],
    [CSR_STVEC, supervisorVector],
    [CSR_MSCRATCH, BigInt(save)],
    [CSR_SSCRATCH, kernelAddress(save + SUPERVISOR_SAVE)],
    [CSR_MEDELEG, random.u64()],
    [CSR_MIDELEG, random.u64()],
    [CSR_MIE, ALL_INTERRUPTS],
    [CSR_MCOUNTEREN, 7n],
    [CSR_SCOUNTEREN, 7n],
    [CSR_MENVCFG, STCE | (random.below(2) === 0 ? ADUE : 0n)],
    [CSR_MSTATUS, FS_INITIAL | SUM],
    [CSR_SATP, random.pick(SATPS)],
  ];
  for (const [csr, value] of csrs) hart.writeCsr(csr, value);
  for (let index = 1; index < 32; index++) {
    hart.writeX(index, random.below(2) === 0 ? random.u64() : BigInt(random.below(256)));
  }
  for (let index = 0; index < 32; index++) {
    const boxed =
      random.below(2) === 0 ? 0xffff_ffff_0000_0000n | (random.u64() & 0xffff_ffffn) : random.u64();
    hart.writeF(index, boxed);
  }
  hart.pc = BigInt(PLACE.machineHandler + RECOVER);
}
