import {
  DeviceError,
  expectSnapshot,
  type Counter,
  type Device,
  type Ledger,
  type Snapshot,
} from '@vmloom/device';
import type { HandlerWidth, MmioHandler, Width } from '@vmloom/memory';
import type { ExternalSignal } from './external-signal.js';
import { InterruptFile, type InterruptFileState } from './interrupt-file.js';

// AIA 1.0, 3.5: the page of an interrupt file.
const PAGE_SHIFT = 12;
const SETEIPNUM_LE = 0;
const TOP_IDENTITY_SHIFT = 16;
/** GEILEN is at most 63 on RV64 (privileged, hgeie). */
const MAX_GUESTS = 63;

export interface ImsicOptions {
  /** `imsic` unless told. */
  readonly name?: string;
  /** Identities of each interrupt file, one less than a multiple of 64, 63 to 2047. 255 (the virt board) unless told. */
  readonly identities?: number;
  readonly machine: ExternalSignal;
  readonly supervisor: ExternalSignal;
  /** The lines of the guest interrupt files (bits 1 and up of hgeip), 63 at most. None unless told. */
  readonly guests?: readonly ExternalSignal[];
  /** Counts by file, under the IMSIC's name: `message-received`, `message-ignored` and `interrupt-claimed`. */
  readonly ledger?: Ledger;
}

interface File {
  readonly file: InterruptFile;
  readonly received: Counter | undefined;
  readonly ignored: Counter | undefined;
  readonly claimed: Counter | undefined;
}

/**
 * The incoming-MSI controller of one hart (AIA 1.0, chapter 3): interrupt files of the machine, of the supervisor
 * and of guests. Messages are writes to the files' pages; the hart reaches them by CSRs, whose accesses come to
 * {@link read}, {@link write}, {@link top} and {@link claim} with the number of a file: 0 the machine's, 1 the
 * supervisor's, 1 + n that of guest n.
 */
export class Imsic implements Device {
  /** Any other access is none (3.5). */
  static readonly WIDTHS: readonly Width[] = [4];
  /** Bytes of the page of one file. */
  static readonly PAGE = 4096;

  readonly name: string;
  /** GEILEN. */
  readonly guests: number;
  /** The machine's page. */
  readonly machinePage: MmioHandler;
  /** The supervisor's page and behind it those of the guests. */
  readonly supervisorPages: MmioHandler;
  readonly #files: readonly File[];

  /** @throws RangeError for a number of identities or guests that the specification does not allow */
  constructor(options: ImsicOptions) {
    const { ledger } = options;
    const name = (this.name = options.name ?? 'imsic');
    const guests = options.guests ?? [];
    if (guests.length > MAX_GUESTS) {
      throw new RangeError(`an IMSIC has at most ${MAX_GUESTS} guest interrupt files, not ${guests.length}`);
    }
    this.guests = guests.length;
    const file = (label: string, signal: ExternalSignal): File => ({
      file: new InterruptFile(options.identities ?? 255, signal),
      received: ledger?.counter(name, 'message-received', label),
      ignored: ledger?.counter(name, 'message-ignored', label),
      claimed: ledger?.counter(name, 'interrupt-claimed', label),
    });
    this.#files = [
      file('machine', options.machine),
      file('supervisor', options.supervisor),
      ...guests.map((signal, index) => file(`guest ${index + 1}`, signal)),
    ];
    this.machinePage = this.#pages(0, 1);
    this.supervisorPages = this.#pages(1, 1 + this.guests);
  }

  /** A register (0x70 to 0xff), 64 bits wide, low half first, into `out`. */
  read(file: number, register: number, out: Uint32Array): void {
    this.#files[file].file.read(register, out);
  }

  write(file: number, register: number, low: number, high: number): void {
    this.#files[file].file.write(register, low, high);
  }

  /** mtopei, stopei, vstopei (3.9): the identity in bits 26:16 and again, as its priority, in bits 10:0. */
  top(file: number): number {
    const identity = this.#files[file].file.top;
    return (identity << TOP_IDENTITY_SHIFT) | identity;
  }

  /** Claims what {@link top} tells. */
  claim(file: number): void {
    const { file: claimed, claimed: counter } = this.#files[file];
    if (claimed.claim() !== 0 && counter !== undefined) counter.value++;
  }

  reset(): void {
    for (const { file } of this.#files) file.reset();
  }

  save(): Snapshot {
    return { type: 'imsic', version: 1, files: this.#files.map(({ file }) => ({ ...file.save() })) };
  }

  /** @throws DeviceError bad-snapshot */
  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'imsic', 1);
    const files = snapshot['files'] as unknown as readonly InterruptFileState[];
    if (files.length !== this.#files.length) {
      throw new DeviceError(
        'bad-snapshot',
        "the snapshot's IMSIC has another number of guest interrupt files",
      );
    }
    this.#files.forEach(({ file }, index) => file.restore(files[index]));
  }

  /** Pages of `count` files from `first` on; behind them there are zeros (3.6). Reads are 0 everywhere (3.5). */
  #pages(first: number, count: number): MmioHandler {
    return {
      read: () => 0,
      write: (offset: number, _width: HandlerWidth, value: number) => {
        const page = offset >>> PAGE_SHIFT;
        // seteipnum_be ignores everything on a machine that is only little-endian.
        if (page >= count || (offset & (Imsic.PAGE - 1)) !== SETEIPNUM_LE) return;
        const { file, received, ignored } = this.#files[first + page];
        const counter = file.receive(value) ? received : ignored;
        if (counter !== undefined) counter.value++;
      },
    };
  }
}
