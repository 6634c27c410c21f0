import {
  bytesOf,
  fromHex,
  latin1,
  parseCount,
  parseHex,
  registerFromHex,
  registerToHex,
  toHex,
} from './hex.js';
import { framed, PacketReader } from './packet.js';
import {
  GENERAL_REGISTERS,
  type DebugTarget,
  type ResumeAction,
  type StopReport,
  type WatchedAccess,
} from './target.js';
import { parseActions, parseThread, VCONT_ACTIONS } from './vcont.js';

/** Most bytes of a packet either way; told to the peer. */
const PACKET_SIZE = 0x4000;
/** Most bytes of memory that one packet shows. */
const MOST_MEMORY = (PACKET_SIZE - 8) / 2;
const BAD_REQUEST = 'E22';
const BAD_ADDRESS = 'E14';
const NOT_NOW = 'E16';
const NO_SUCH_THREAD = 'E03';
const SIGINT = 2;
const SIGTRAP = 5;

/** Carries out one line for `monitor LINE`; what it says is shown, a rejection's message too. */
export type MonitorCommand = (line: string) => string | Promise<string>;

export interface SessionOptions {
  readonly target: DebugTarget;
  /** Takes bytes for the peer. */
  readonly send: (bytes: Uint8Array) => void;
  /** The peer said goodbye: the connection ends. */
  readonly close?: () => void;
  /** Without one, `monitor` is unknown. */
  readonly monitor?: MonitorCommand;
}

/**
 * One GDB at a {@link DebugTarget}: the remote serial protocol (GDB manual, appendix E) in all-stop mode.
 * Attaches when it is made. Whatever the peer sends is answered: an empty answer for what is unknown, an E
 * code for what is wrong.
 */
export class GdbSession {
  readonly #target: DebugTarget;
  readonly #options: SessionOptions;
  readonly #reader = new PacketReader(PACKET_SIZE);
  #acks = true;
  /** For a peer that did not get it. */
  #lastSent: Uint8Array | undefined;
  /** The peer understands stop reasons `swbreak` and `hwbreak`. */
  #reasons = { swbreak: false, hwbreak: false };
  /** Thread of `g`, `m` and the like; of `c` and `s`. */
  #thread = 1;
  #resumed = -1;
  #ended = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#target = options.target;
    this.#target.attach();
    this.#target.onStop = (report) => this.#stopped(report);
  }

  /** Bytes from the peer, cut anyhow. Packets are carried out one after the other. */
  receive(bytes: Uint8Array): void {
    for (const received of this.#reader.feed(bytes)) {
      if (received.kind === 'interrupt') this.#target.interrupt();
      else if (received.kind === 'nack') this.#resend();
      else if (received.kind === 'bad') this.#sendAck('-');
      else if (received.kind === 'packet') {
        this.#sendAck('+');
        const { data } = received;
        this.#queue = this.#queue.then(() => this.#packet(data));
      }
    }
  }

  /** Resolves when every packet so far is carried out. */
  settled(): Promise<void> {
    return this.#queue;
  }

  /** The connection is gone: as a detach. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#target.onStop = undefined;
    this.#target.detach();
  }

  async #packet(data: Uint8Array): Promise<void> {
    if (this.#ended) return;
    const answer = await this.#answer(latin1(data), data);
    if (answer !== undefined) this.#send(answer);
  }

  /** Undefined where the answer comes later, or never. */
  #answer(text: string, data: Uint8Array): string | undefined | Promise<string> {
    const rest = text.slice(1);
    if (this.#target.stopped === undefined && !/^[kDq]/.test(text)) return NOT_NOW;
    switch (text[0]) {
      case '?':
        return this.#stopReply(this.#target.stopped!);
      case 'g':
        return this.#readGeneral();
      case 'G':
        return this.#writeGeneral(rest);
      case 'p':
        return this.#readOne(rest);
      case 'P':
        return this.#writeOne(rest);
      case 'm':
        return this.#readMemory(rest);
      case 'M':
        return this.#writeMemory(rest, (after) => fromHex(after));
      case 'X':
        return this.#writeMemory(rest, (after) => data.subarray(data.length - after.length));
      case 'Z':
        return this.#insert(rest);
      case 'z':
        return this.#remove(rest);
      case 'H':
        return this.#selectThread(rest);
      case 'T':
        return this.#isThread(parseThread(rest)) ? 'OK' : NO_SUCH_THREAD;
      case 'c':
      case 's':
        return this.#go(rest, text[0] === 's');
      case 'C':
      case 'S':
        return this.#goWithSignal(rest, text[0] === 'S');
      case 'v':
        return this.#verbose(text);
      case 'q':
      case 'Q':
        return this.#query(text);
      case 'D':
        return this.#detach();
      case 'k':
        this.#kill();
        return undefined;
      default:
        return '';
    }
  }

  #readGeneral(): string {
    const registers = Array.from({ length: GENERAL_REGISTERS }, (_, register) => this.#register(register));
    return registers.join('');
  }

  #register(register: number): string {
    const size = this.#target.registerSize(register);
    if (size === undefined) return BAD_REQUEST;
    const value = this.#target.readRegister(this.#thread, register);
    return value === undefined ? BAD_ADDRESS : registerToHex(value, size);
  }

  #writeGeneral(text: string): string {
    const digits = 16;
    if (
      fromHex(text) === undefined ||
      text.length % digits !== 0 ||
      text.length > GENERAL_REGISTERS * digits
    ) {
      return BAD_REQUEST;
    }
    for (let register = 0; register * digits < text.length; register++) {
      const value = registerFromHex(text.slice(register * digits, (register + 1) * digits))!;
      this.#target.writeRegister(this.#thread, register, value);
    }
    return 'OK';
  }

  #readOne(text: string): string {
    const register = parseCount(text, 0xffff);
    return register === undefined ? BAD_REQUEST : this.#register(register);
  }

  #writeOne(text: string): string {
    const [name = '', value = ''] = text.split('=');
    const register = parseCount(name, 0xffff);
    const bits = registerFromHex(value);
    if (register === undefined || bits === undefined) return BAD_REQUEST;
    return this.#target.writeRegister(this.#thread, register, bits) ? 'OK' : BAD_ADDRESS;
  }

  #readMemory(text: string): string {
    const [from = '', count = ''] = text.split(',');
    const address = parseHex(from);
    const length = parseHex(count);
    if (address === undefined || length === undefined) return BAD_REQUEST;
    const most = Number(length < MOST_MEMORY ? length : MOST_MEMORY);
    const bytes = this.#target.readMemory(this.#thread, address, most);
    return bytes === undefined ? BAD_ADDRESS : toHex(bytes);
  }

  #writeMemory(text: string, decode: (after: string) => Uint8Array | undefined): string {
    const colon = text.indexOf(':');
    const [from = '', count = ''] = text.slice(0, Math.max(colon, 0)).split(',');
    const address = parseHex(from);
    const length = parseCount(count, PACKET_SIZE);
    const bytes = colon < 0 ? undefined : decode(text.slice(colon + 1));
    if (address === undefined || bytes === undefined || bytes.length !== length) return BAD_REQUEST;
    return this.#target.writeMemory(this.#thread, address, bytes) ? 'OK' : BAD_ADDRESS;
  }

  #insert(text: string): string {
    const point = parsePoint(text);
    if (point === undefined) return BAD_REQUEST;
    const { type, address, kind } = point;
    if (type === 0 || type === 1) return this.#target.addBreakpoint(address, type === 1) ? 'OK' : NOT_NOW;
    return this.#target.addWatchpoint(this.#thread, address, kind, WATCHED[type]) ? 'OK' : BAD_ADDRESS;
  }

  #remove(text: string): string {
    const point = parsePoint(text);
    if (point === undefined) return BAD_REQUEST;
    const { type, address, kind } = point;
    if (type === 0 || type === 1) this.#target.removeBreakpoint(address, type === 1);
    else this.#target.removeWatchpoint(address, kind, WATCHED[type]);
    return 'OK';
  }

  #isThread(thread: number | undefined): boolean {
    return thread !== undefined && thread >= 1 && thread <= this.#target.threads;
  }

  #selectThread(text: string): string {
    const thread = parseThread(text.slice(1));
    if (thread === undefined || thread > this.#target.threads) return NO_SUCH_THREAD;
    if (text[0] === 'c') this.#resumed = thread;
    else if (text[0] !== 'g') return BAD_REQUEST;
    // 0 is any thread, and -1 has no meaning here.
    else if (thread > 0) this.#thread = thread;
    return 'OK';
  }

  #goWithSignal(text: string, steps: boolean): string | undefined {
    const [signal = '', address = ''] = text.split(';');
    // A machine has no signals: the number is taken and means nothing.
    return parseCount(signal, 255) === undefined ? BAD_REQUEST : this.#go(address, steps);
  }

  #go(address: string, steps: boolean): string | undefined {
    const chosen = this.#resumed > 0 ? this.#resumed : this.#thread;
    if (address !== '') {
      const pc = parseHex(address);
      if (pc === undefined) return BAD_REQUEST;
      this.#target.writeRegister(chosen, PC_REGISTER, pc);
    }
    const others: ResumeAction = this.#resumed > 0 ? 'stay' : 'run';
    const actions = Array.from({ length: this.#target.threads }, (): ResumeAction => others);
    actions[chosen - 1] = steps ? 'step' : 'run';
    this.#target.resume(actions);
    return undefined;
  }

  #verbose(text: string): string | undefined {
    if (text === 'vCont?') return VCONT_ACTIONS;
    if (text.startsWith('vCont;')) {
      const actions = parseActions(text.slice(6), this.#target.threads);
      if (actions === undefined || actions.every((action) => action === 'stay')) return BAD_REQUEST;
      this.#target.resume(actions);
      return undefined;
    }
    if (text.startsWith('vKill;')) {
      this.#send('OK');
      this.#kill();
      return undefined;
    }
    return '';
  }

  #query(text: string): string | Promise<string> {
    if (text.startsWith('qSupported')) return this.#supported(text);
    if (text.startsWith('qRcmd,')) return this.#monitor(text.slice(6));
    if (text.startsWith('qThreadExtraInfo,')) return this.#describeThread(text.slice(17));
    if (text.startsWith('qXfer:features:read:')) return this.#features(text.slice(20));
    if (text.startsWith('qAttached')) return '1';
    switch (text) {
      case 'QStartNoAckMode':
        this.#acks = false;
        return 'OK';
      case 'qC':
        return `QC${this.#thread.toString(16)}`;
      case 'qfThreadInfo':
        return `m${Array.from({ length: this.#target.threads }, (_, index) => (index + 1).toString(16)).join(',')}`;
      case 'qsThreadInfo':
        return 'l';
      default:
        return '';
    }
  }

  #supported(text: string): string {
    const features = text.slice('qSupported:'.length).split(';');
    this.#reasons = { swbreak: features.includes('swbreak+'), hwbreak: features.includes('hwbreak+') };
    return [
      `PacketSize=${PACKET_SIZE.toString(16)}`,
      'QStartNoAckMode+',
      'qXfer:features:read+',
      'vContSupported+',
      'swbreak+',
      'hwbreak+',
    ].join(';');
  }

  async #monitor(digits: string): Promise<string> {
    const { monitor } = this.#options;
    const line = fromHex(digits);
    if (monitor === undefined) return '';
    if (line === undefined) return BAD_REQUEST;
    const said = await Promise.resolve()
      .then(() => monitor(new TextDecoder().decode(line)))
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    const output = new TextEncoder().encode(said === '' || said.endsWith('\n') ? said : `${said}\n`);
    for (let at = 0; at < output.length; at += MOST_MEMORY) {
      this.#send(`O${toHex(output.subarray(at, at + MOST_MEMORY))}`);
    }
    return 'OK';
  }

  #describeThread(text: string): string {
    const thread = parseThread(text);
    if (!this.#isThread(thread)) return NO_SUCH_THREAD;
    return toHex(new TextEncoder().encode(this.#target.describe(thread!)));
  }

  /** `annex:offset,length`. */
  #features(text: string): string {
    const [annex, range = ''] = text.split(':');
    if (annex !== 'target.xml') return 'E00';
    const [from = '', count = ''] = range.split(',');
    const offset = parseCount(from, 0xffff_ffff);
    const length = parseCount(count, 0xffff_ffff);
    if (offset === undefined || length === undefined) return BAD_REQUEST;
    const { description } = this.#target;
    // Half a packet leaves room for the escapes.
    const part = description.slice(offset, offset + Math.min(length, MOST_MEMORY));
    return `${offset + part.length < description.length ? 'm' : 'l'}${part}`;
  }

  #detach(): undefined {
    this.#send('OK');
    this.end();
    this.#options.close?.();
  }

  #kill(): void {
    this.#ended = true;
    this.#target.onStop = undefined;
    this.#target.kill();
    this.#options.close?.();
  }

  #stopped(report: StopReport): void {
    if (report.kind !== 'exited') this.#thread = report.thread;
    this.#send(this.#stopReply(report));
  }

  #stopReply(report: StopReport): string {
    if (report.kind === 'exited') return `W${(report.code & 0xff).toString(16).padStart(2, '0')}`;
    const signal = (report.kind === 'interrupted' ? SIGINT : SIGTRAP).toString(16).padStart(2, '0');
    return `T${signal}thread:${report.thread.toString(16)};${this.#reason(report)}`;
  }

  #reason(report: StopReport): string {
    if (report.kind === 'watchpoint') return `${REASONS[report.watched]}:${report.address.toString(16)};`;
    if (report.kind !== 'breakpoint') return '';
    if (report.hardware) return this.#reasons.hwbreak ? 'hwbreak:;' : '';
    return this.#reasons.swbreak ? 'swbreak:;' : '';
  }

  #send(data: string): void {
    this.#lastSent = framed(data);
    this.#options.send(this.#lastSent);
  }

  #resend(): void {
    if (this.#acks && this.#lastSent !== undefined) this.#options.send(this.#lastSent);
  }

  #sendAck(ack: '+' | '-'): void {
    if (this.#acks) this.#options.send(bytesOf(ack));
  }
}

const PC_REGISTER = 32;

/** By the type of `Z` and `z` packets. */
const WATCHED: Readonly<Record<number, WatchedAccess>> = { 2: 'store', 3: 'load', 4: 'both' };
/** Stop reasons (GDB manual E.3). */
const REASONS: Readonly<Record<WatchedAccess, string>> = { store: 'watch', load: 'rwatch', both: 'awatch' };

interface Point {
  /** 0 to 4. */
  readonly type: number;
  readonly address: bigint;
  /** Bytes, for a watchpoint. */
  readonly kind: number;
}

/** `type,address,kind`; conditions and commands behind it are not supported, and not announced. */
function parsePoint(text: string): Point | undefined {
  const [type = '', address = '', kind = '', ...more] = text.split(',');
  const point = { type: parseCount(type, 4), address: parseHex(address), kind: parseCount(kind, 0x1000) };
  if (
    point.type === undefined ||
    point.address === undefined ||
    point.kind === undefined ||
    more.length > 0
  ) {
    return undefined;
  }
  return point as Point;
}
