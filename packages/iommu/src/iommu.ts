import {
  expectSnapshot,
  Ledger,
  type AtsFunctions,
  type AtsPageRequest,
  type AtsService,
  type AtsTranslation,
  type AtsTranslationRequest,
  type Device,
  type EventArguments,
  type EventOwner,
  type RequesterId,
  type Snapshot,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler } from '@vmloom/memory';
import * as C from './codes.js';
import { CommandQueue } from './command-queue.js';
import { WalkState } from './core.js';
import { IommuError } from './error.js';
import { FaultQueue } from './fault-queue.js';
import { IommuInterrupts } from './interrupts.js';
import { InvalidationTags } from './invalidation-tags.js';
import * as L from './layout-offsets.js';
import { cacheSizesOf, capabilitiesOf, type IommuOptions } from './options.js';
import { PageRequestQueue } from './page-requests.js';
import { PerformanceMonitor } from './performance.js';
import { maskIndex } from './queue-place.js';
import { RegisterFile } from './register-file.js';
import * as R from './registers.js';
import { IommuTranslator } from './translator.js';
import { writeMasks } from './write-masks.js';

const COMMANDS = 'commands';
const MESSAGES = 'messages';
const DEBUG = 'debug';
/** Commands of one event, and the nanoseconds that each takes. */
const BATCH = 64;
const COMMAND_TIME = 10;
const PATIENCE = 90e9;
const SNAPSHOT = { type: 'riscv-iommu', version: 1 } as const;

/**
 * A RISC-V IOMMU: the register page, and {@link Iommu.translator}, which goes between a fabric and memory. It reads its
 * tables and queues from `space` itself. Registers are 4 bytes wide; a wider access is two, low half first.
 */
export class Iommu implements Device, EventOwner, MmioHandler, AtsService {
  /** The access widths of the register page. */
  static readonly WIDTHS = [4, 8] as const;
  readonly name: string;
  readonly ledger: Ledger;
  /** What stands between DMA and memory: give it to the root complex, or to a port. */
  readonly translator: IommuTranslator;
  /** Functions with translation caches of their own; the fabric sets it. */
  functions: AtsFunctions | undefined;
  readonly #options: IommuOptions;
  readonly #registers = new RegisterFile();
  readonly #masks: Uint32Array;
  readonly #walk: WalkState;
  readonly #interrupts: IommuInterrupts;
  readonly #faults: FaultQueue;
  readonly #commands: CommandQueue;
  readonly #pageRequests: PageRequestQueue;
  readonly #tags: InvalidationTags;
  readonly #monitor: PerformanceMonitor;
  /** Events that wait, so that each is scheduled once. */
  readonly #scheduled = new Set<string>();

  /** @throws IommuError bad-option; DeviceError duplicate-owner; MemoryError reserve-exhausted */
  constructor(options: IommuOptions) {
    const { name, clock, space } = options;
    this.name = name;
    this.#options = options;
    this.ledger = options.ledger ?? new Ledger();
    this.functions = options.functions;
    const registers = this.#registers;
    const [low, high] = capabilitiesOf(options);
    registers.set(R.CAPABILITIES, low);
    registers.set(R.CAPABILITIES + 4, high);
    this.#masks = writeMasks(low, options.signal === undefined);
    this.#walk = new WalkState(space, cacheSizesOf(options));
    clock.register(this);
    const interrupts = new IommuInterrupts({
      registers,
      space,
      lines: options.lines ?? [],
      signal: options.signal,
      schedule: () => this.#schedule(MESSAGES),
      onFault: (addressLow, addressHigh) => this.#messageFault(addressLow, addressHigh),
    });
    this.#interrupts = interrupts;
    this.#faults = new FaultQueue(registers, space, interrupts, this.ledger, name);
    this.#tags = new InvalidationTags(clock, this, options.invalidationTimeout ?? PATIENCE);
    this.#monitor = new PerformanceMonitor(registers, clock, this, interrupts);
    this.translator = new IommuTranslator({
      name,
      space,
      ledger: this.ledger,
      walk: this.#walk,
      faults: this.#faults,
      monitor: this.#monitor,
      exactCounts: options.exactCounts ?? false,
    });
    const functions = (): AtsFunctions | undefined => this.functions;
    const walk = this.#walk;
    this.#commands = new CommandQueue({
      registers,
      space,
      walk,
      interrupts,
      tags: this.#tags,
      functions,
      onInvalidate: () => this.translator.changed(),
      ledger: this.ledger,
      name,
    });
    this.#pageRequests = new PageRequestQueue({
      registers,
      space,
      walk,
      faults: this.#faults,
      interrupts,
      functions,
    });
    this.reset();
  }

  // Registers ---------------------------------------------------------------------------------------------

  /** Accesses that are not of 4 bytes read 0 and change nothing. */
  read(offset: number, width: HandlerWidth): number {
    if (width !== 4 || offset >= 4 * this.#registers.words.length) return 0;
    if (isMonitor(offset)) this.#monitor.synchronize();
    return this.#registers.get(offset);
  }

  write(offset: number, width: HandlerWidth, value: number): void {
    const registers = this.#registers;
    if (width !== 4 || offset >= 4 * registers.words.length) return;
    const mask = this.#masks[offset >>> 2];
    const before = registers.get(offset);
    const after = ((before & ~mask) | (value & mask)) >>> 0;
    switch (offset) {
      case R.CQB:
      case R.CQB + 4:
        return this.#placeQueue(R.CQCSR, R.CQB, R.CQT, offset, after);
      case R.FQB:
      case R.FQB + 4:
        return this.#placeQueue(R.FQCSR, R.FQB, R.FQH, offset, after);
      case R.PQB:
      case R.PQB + 4:
        return this.#placeQueue(R.PQCSR, R.PQB, R.PQH, offset, after);
      case R.DDTP:
      case R.DDTP + 4:
        return this.#setDirectory(offset, after);
      case R.CQT:
        registers.set(offset, maskIndex(registers, R.CQB, value));
        return this.#wakeCommands();
      case R.FQH:
        return registers.set(offset, maskIndex(registers, R.FQB, value));
      case R.PQH:
        return registers.set(offset, mask === 0 ? 0 : maskIndex(registers, R.PQB, value));
      case R.CQCSR:
        return this.#controlCommands(value);
      case R.FQCSR:
        return this.#controlProducer(R.FQCSR, R.FQT, R.IP_FAULT, value);
      case R.PQCSR:
        if (mask !== 0) this.#controlProducer(R.PQCSR, R.PQT, R.IP_PAGE_REQUEST, value);
        return;
      case R.IPSR:
        this.#interrupts.acknowledge(value);
        return this.#reconsiderInterrupts();
      case R.TR_REQ_CTL:
        // Go is set by writing 1, and cleared by the IOMMU alone.
        registers.set(offset, (after | (before & R.TR_GO)) >>> 0);
        if ((after & R.TR_GO) !== 0) this.#schedule(DEBUG);
        return;
    }
    if (isMonitor(offset)) this.#monitor.synchronize();
    registers.set(offset, ((registers.get(offset) & ~mask) | (value & mask)) >>> 0);
    if (isMonitor(offset)) this.#monitor.configured();
    else if (offset === R.FCTL) this.#controlFeatures();
    else if (offset === R.ICVEC) this.#interrupts.update();
    else if (offset >= R.MSI_CFG_TBL && (offset & 15) === 12) this.#interrupts.unmasked();
  }

  // What functions say ------------------------------------------------------------------------------------

  requestTranslation(request: AtsTranslationRequest): AtsTranslation {
    return this.translator.requestTranslation(request);
  }

  requestPage(request: AtsPageRequest): void {
    this.#pageRequests.take(request);
  }

  completeInvalidation(requester: RequesterId, tags: number): void {
    this.#tags.complete(requester, tags);
    this.#wakeCommands();
  }

  // Device ------------------------------------------------------------------------------------------------

  reset(): void {
    const registers = this.#registers;
    const { clock } = this.#options;
    registers.words.fill(0, R.FCTL >>> 2);
    if ((registers.get(R.CAPABILITIES) >>> C.CAP_IGS_SHIFT) % 4 === R.IGS_WSI)
      registers.set(R.FCTL, R.FCTL_WSI);
    registers.set(R.DDTP, this.#options.resetMode === 'bare' ? C.DDTP_BARE : C.DDTP_OFF);
    this.#tags.reset();
    this.#interrupts.reset();
    this.#monitor.reset();
    this.#scheduled.clear();
    clock.unregister(this);
    clock.register(this);
    this.#walk.core.forget(this.#walk.base);
    this.#tellWalk();
  }

  onEvent(kind: string, args: EventArguments): void {
    this.#scheduled.delete(kind);
    if (kind === COMMANDS) this.#runCommands();
    else if (kind === MESSAGES) this.#interrupts.deliver();
    else if (kind === DEBUG) this.#translateForDebug();
    else if (this.#tags.onEvent(kind, args['tag'])) this.#wakeCommands();
    else this.#monitor.onEvent(kind);
  }

  save(): Snapshot {
    this.#monitor.synchronize();
    const { sizes, bytes } = this.#walk.saveCaches();
    return {
      ...SNAPSHOT,
      registers: [...this.#registers.words],
      scheduled: [...this.#scheduled],
      messages: this.#interrupts.save(),
      tags: this.#tags.save(),
      monitor: this.#monitor.save(),
      cacheSizes: sizes,
      caches: bytes,
    };
  }

  /** @throws DeviceError bad-snapshot; IommuError bad-snapshot when capabilities or cache sizes differ */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, SNAPSHOT.type, SNAPSHOT.version);
    const words = snapshot['registers'] as readonly number[];
    const registers = this.#registers;
    const alike = words[0] === registers.words[0] && words[1] === registers.words[1];
    const caches = { sizes: snapshot['cacheSizes'] as bigint, bytes: snapshot['caches'] as Uint8Array };
    if (!alike || !this.#walk.restoreCaches(caches)) {
      throw new IommuError(
        'bad-snapshot',
        `${this.name} has other capabilities or caches than the snapshot's`,
      );
    }
    registers.words.set(words);
    this.#scheduled.clear();
    for (const kind of snapshot['scheduled'] as readonly string[]) this.#scheduled.add(kind);
    this.#tags.restore(snapshot['tags'] as ReturnType<InvalidationTags['save']>);
    this.#monitor.restore(snapshot['monitor'] as ReturnType<PerformanceMonitor['save']>);
    this.#interrupts.restore(snapshot['messages'] as number);
    this.#tellWalk();
  }

  /** Ends its part on the clock. */
  close(): void {
    this.#options.clock.unregister(this);
  }

  // -------------------------------------------------------------------------------------------------------

  #schedule(kind: string, delay = 0): void {
    if (this.#scheduled.has(kind)) return;
    this.#scheduled.add(kind);
    this.#options.clock.after(this, kind, delay);
  }

  #wakeCommands(): void {
    if (this.#commands.ready) this.#schedule(COMMANDS);
  }

  #runCommands(): void {
    // A batch that ended early waits for software, or for a device.
    if (this.#commands.run(BATCH) === BATCH && this.#commands.ready)
      this.#schedule(COMMANDS, BATCH * COMMAND_TIME);
  }

  /** 6.6, 6.9, 6.12: while the queue is on its place stays. */
  #placeQueue(control: number, base: number, index: number, offset: number, value: number): void {
    const registers = this.#registers;
    if ((registers.get(control) & R.QUEUE_ON) !== 0) return;
    registers.set(offset, value);
    registers.set(index, maskIndex(registers, base, registers.get(index)));
  }

  /** 6.5. Modes that there are not leave the register as it was. */
  #setDirectory(offset: number, value: number): void {
    if (offset === R.DDTP && (value & 15) > C.DDTP_3LVL) return;
    this.#registers.set(offset, value);
    this.#walk.core.invalidateDevices(this.#walk.base, 0, 0);
    this.#tellWalk();
  }

  /** 6.4. */
  #controlFeatures(): void {
    this.#tellWalk();
    this.#interrupts.update();
  }

  /** 6.15. Everything happens at once, so that busy is never seen. */
  #controlCommands(value: number): void {
    const registers = this.#registers;
    const errors = R.QUEUE_MEMORY_FAULT | R.COMMAND_TIMEOUT | R.COMMAND_ILLEGAL | R.FENCE_PENDING;
    const before = registers.get(R.CQCSR);
    let status = before & errors & ~value;
    status |= value & (R.QUEUE_ENABLE | R.QUEUE_INTERRUPT_ENABLE);
    if ((value & R.QUEUE_ENABLE) !== 0) {
      if ((before & R.QUEUE_ENABLE) === 0) {
        status &= ~errors;
        registers.set(R.CQH, 0);
      }
      status |= R.QUEUE_ON;
    }
    registers.set(R.CQCSR, status);
    this.#commands.interruptIfWanted();
    this.#wakeCommands();
  }

  /** 6.16 and 6.17: the fault and the page-request queue. */
  #controlProducer(control: number, tail: number, cause: number, value: number): void {
    const registers = this.#registers;
    const errors = R.QUEUE_MEMORY_FAULT | R.QUEUE_OVERFLOW;
    const before = registers.get(control);
    let status = before & errors & ~value;
    status |= value & (R.QUEUE_ENABLE | R.QUEUE_INTERRUPT_ENABLE);
    if ((value & R.QUEUE_ENABLE) !== 0) {
      if ((before & R.QUEUE_ENABLE) === 0) {
        status &= ~errors;
        registers.set(tail, 0);
      }
      status |= R.QUEUE_ON;
    }
    registers.set(control, status);
    if ((status & R.QUEUE_INTERRUPT_ENABLE) !== 0 && (status & errors) !== 0) this.#interrupts.raise(cause);
  }

  /** Conditions that persist set their bits again (6.18). */
  #reconsiderInterrupts(): void {
    const registers = this.#registers;
    const errors = R.QUEUE_MEMORY_FAULT | R.QUEUE_OVERFLOW;
    this.#commands.interruptIfWanted();
    for (const [control, cause] of [
      [R.FQCSR, R.IP_FAULT],
      [R.PQCSR, R.IP_PAGE_REQUEST],
    ] as const) {
      const status = registers.get(control);
      if ((status & R.QUEUE_INTERRUPT_ENABLE) !== 0 && (status & errors) !== 0) this.#interrupts.raise(cause);
    }
  }

  /** Chapter 5: the request that tr_req_iova and tr_req_ctl describe. */
  #translateForDebug(): void {
    const registers = this.#registers;
    const walk = this.#walk;
    const low = registers.get(R.TR_REQ_CTL);
    const high = registers.get(R.TR_REQ_CTL + 4);
    if ((low & R.TR_GO) === 0) return;
    const kind =
      (low & R.TR_EXECUTE) !== 0
        ? C.TTYP_UNTRANSLATED_EXECUTE
        : (low & R.TR_NO_WRITE) !== 0
          ? C.TTYP_UNTRANSLATED_READ
          : C.TTYP_UNTRANSLATED_WRITE;
    const process =
      (high & R.TR_PV) === 0
        ? 0
        : C.PROCESS_VALID | ((low & R.TR_PRIVILEGED) !== 0 ? C.PROCESS_PRIVILEGED : 0) | (low >>> 12);
    const iova = [registers.get(R.TR_REQ_IOVA), registers.get(R.TR_REQ_IOVA + 4)] as const;
    const fault = this.translator.debug(high >>> 8, process, kind, ...iova);
    registers.change(R.TR_REQ_CTL, 0, R.TR_GO);
    if (fault) return registers.set64(R.TR_RESPONSE, BigInt(R.TR_FAULT));
    const shift = walk.get(L.WALK_STATE_SHIFT);
    let page = walk.get64(L.WALK_STATE_ADDRESS) >> 12n;
    if (shift > 12) {
      // A superpage says its size by a zero above ones.
      const below = BigInt(shift - 12);
      page = ((page >> below) << below) | ((1n << (below - 1n)) - 1n);
    }
    const flags = (walk.get(L.WALK_STATE_MEMORY_TYPE) << R.TR_PBMT_SHIFT) | (shift > 12 ? R.TR_SUPERPAGE : 0);
    registers.set64(R.TR_RESPONSE, ((page & 0xfff_ffff_ffffn) << 10n) | BigInt(flags));
  }

  #messageFault(low: number, high: number): void {
    this.#faults.report({
      cause: C.CAUSE_MSI_WRITE_ACCESS,
      type: C.TTYP_NONE,
      device: 0,
      process: 0,
      iotval: [low, high],
      iotval2: [0, 0],
    });
  }

  /** What the core must know of the registers. */
  #tellWalk(): void {
    const registers = this.#registers;
    const walk = this.#walk;
    walk.set(L.WALK_STATE_BIG_ENDIAN, registers.get(R.FCTL) & R.FCTL_BE);
    walk.set(L.WALK_STATE_CAPABILITIES, registers.get(R.CAPABILITIES));
    walk.set(L.WALK_STATE_CAPABILITIES_HIGH, registers.get(R.CAPABILITIES + 4));
    walk.set(L.WALK_STATE_DDTP, registers.get(R.DDTP));
    walk.set(L.WALK_STATE_DDTP + 4, registers.get(R.DDTP + 4));
    this.translator.changed();
  }
}

const isMonitor = (offset: number): boolean => offset >= R.IOCOUNTOVF && offset < R.IOHPMEVT + 31 * 8;
