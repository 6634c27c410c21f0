import { expectSnapshot, type EventArguments, type EventOwner, type Snapshot } from '@vmloom/device';
import { MachineError } from './error.js';
import type { World } from './world.js';

/** The machine's end of the wire: package platform's UART. */
export interface ConsoleDevice {
  /** Takes what it has room for; the count of bytes taken. After a short count {@link onReceiveReady} follows. */
  receive(bytes: Uint8Array): number;
  onReceiveReady: (() => void) | undefined;
  /** One character with the error bits of its line status. */
  receiveCharacter(byte: number, errors: number): void;
}

interface Waiter {
  readonly serial: number;
  readonly pattern: RegExp;
  readonly resolve: (match: RegExpExecArray) => void;
  readonly reject: (error: Error) => void;
}

/** The oldest output is forgotten beyond this many characters. */
const HISTORY = 4 * 1024 * 1024;
/** Patterns are looked for this long after output, so that a burst of characters costs one look; nanoseconds. */
const LOOK = 20_000;
/** NS16550A line status: break. */
const LSR_BREAK = 0x10;

/**
 * The person at the machine's serial line. Output is text; `waitFor` finds a pattern in what came since the
 * last match, `send` types. A script that awaits and types acts at virtual times that repeat from run to run.
 */
export class Console implements EventOwner {
  readonly name: string;
  /** Called with each piece of output, as it comes. */
  onOutput: ((bytes: Uint8Array) => void) | undefined;
  readonly #world: World;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #device: ConsoleDevice | undefined;
  #text = '';
  #cursor = 0;
  readonly #waiters: Waiter[] = [];
  #ended: string | undefined;
  #input = new Uint8Array(0);
  #looking = false;
  #serial = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    world.clock.register(this);
  }

  connect(device: ConsoleDevice): void {
    this.#device = device;
    device.onReceiveReady = () => this.#feed();
  }

  /** All output so far (the last 4 Mi characters). */
  get text(): string {
    return this.#text;
  }

  /** Types text or bytes. What the guest does not take at once waits. */
  send(input: string | Uint8Array): void {
    const bytes = typeof input === 'string' ? this.#encoder.encode(input) : input.slice();
    this.#world.outside.post(this, 'input', { bytes });
  }

  /** The break condition of the serial line. */
  sendBreak(): void {
    this.#world.outside.post(this, 'break', {});
  }

  /**
   * The match of `pattern` in output that came after the last match. Rejects with MachineError `timeout` when
   * `timeout` virtual nanoseconds pass first, and `ended` when the machine ends first.
   */
  waitFor(pattern: RegExp, options: { timeout?: number } = {}): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { serial: ++this.#serial, pattern, resolve, reject };
      this.#waiters.push(waiter);
      this.#match();
      if (!this.#waiters.includes(waiter)) return;
      if (this.#ended !== undefined) this.end(this.#ended);
      else if (options.timeout !== undefined) {
        this.#world.clock.after(this, 'expire', options.timeout, { waiter: waiter.serial });
      }
    });
  }

  /** From the UART or the firmware: bytes that the guest wrote. */
  write(bytes: Uint8Array): void {
    this.onOutput?.(bytes);
    this.#text += this.#decoder.decode(bytes, { stream: true });
    if (this.#text.length > HISTORY) {
      const cut = this.#text.length - HISTORY / 2;
      this.#text = this.#text.slice(cut);
      this.#cursor = Math.max(0, this.#cursor - cut);
    }
    if (this.#waiters.length === 0 || this.#looking) return;
    this.#looking = true;
    this.#world.clock.after(this, 'look', LOOK);
  }

  /** The machine ended: whoever waits is told why. */
  end(reason: string): void {
    this.#ended = reason;
    // Its last words may not have been looked at yet.
    this.#match();
    for (const { pattern, reject } of this.#waiters.splice(0)) {
      reject(new MachineError('ended', `${reason} before the console showed ${String(pattern)}`));
    }
  }

  /** The machine starts again. */
  begin(): void {
    this.#ended = undefined;
  }

  onEvent(kind: string, args: EventArguments): void {
    if (kind === 'expire') return this.#expire(args['waiter'] as number);
    if (kind === 'look') {
      this.#looking = false;
      if (this.#match()) this.#world.breathe();
      return;
    }
    if (kind === 'break') return this.#device?.receiveCharacter(0, LSR_BREAK);
    this.#input = joined(this.#input, args['bytes'] as Uint8Array);
    this.#feed();
  }

  save(): Snapshot {
    return { type: 'console', version: 1, input: this.#input, looking: this.#looking };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'console', 1);
    this.#input = snapshot['input'] as Uint8Array<ArrayBuffer>;
    this.#looking = snapshot['looking'] as boolean;
  }

  #expire(serial: number): void {
    const index = this.#waiters.findIndex((waiter) => waiter.serial === serial);
    const [waiter] = index < 0 ? [] : this.#waiters.splice(index, 1);
    if (waiter === undefined) return;
    const end = this.#text.slice(-200);
    waiter.reject(
      new MachineError(
        'timeout',
        `the console did not show ${String(waiter.pattern)} in time; its last words: ${end}`,
      ),
    );
    this.#world.breathe();
  }

  #feed(): void {
    const taken = this.#device?.receive(this.#input) ?? this.#input.length;
    this.#input = this.#input.slice(taken);
  }

  /** Serves the waiters in their order; true when one was served. */
  #match(): boolean {
    let served = false;
    for (let waiter = this.#waiters[0]; waiter !== undefined; waiter = this.#waiters[0]) {
      const pattern = new RegExp(waiter.pattern.source, waiter.pattern.flags.replace(/[gy]/g, ''));
      const match = pattern.exec(this.#text.slice(this.#cursor));
      if (match === null) break;
      this.#cursor += match.index + match[0].length;
      this.#waiters.shift();
      waiter.resolve(match);
      served = true;
    }
    return served;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
