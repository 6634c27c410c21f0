import {
  expectSnapshot,
  Ledger,
  type Clock,
  type EventArguments,
  type EventOwner,
  type OutsideIo,
  type Snapshot,
  type Snapshotable,
} from '@vmloom/device';
import { FrameQueue } from './frame-queue.js';
import { Frame } from './frame.js';
import { Link, MAX_FRAME, type LinkPort } from './link.js';
import type { PortOwner } from './port.js';
import { FrameDecoder, framed } from './stream-framing.js';

/** Bytes written that the outside may still hold before the port blocks. */
const BACKLOG = 1024 * 1024;
/** Bytes that may arrive before the frames in them have been taken. */
const CREDIT = 512 * 1024;

/** What arrives from a transport, by kind. */
export interface TransportArrivals {
  /** The peer is there. */
  'transport-open': Record<never, never>;
  /** The peer is gone. */
  'transport-closed': Record<never, never>;
  /** Bytes of the stream, or one datagram. */
  'transport-data': { bytes: Uint8Array };
  /** So many written bytes have left. */
  'transport-drained': { bytes: number };
}

/** A byte stream or a datagram socket outside that carries frames; never answers by return value. */
export interface FrameTransport {
  readonly framing: 'stream' | 'datagram';
  /** Called once, before anything else. */
  start(
    arrive: <Kind extends keyof TransportArrivals>(kind: Kind, args: TransportArrivals[Kind]) => void,
  ): void;
  /** The bytes belong to the transport from here on. */
  write(bytes: Uint8Array): void;
  /** So many more bytes may arrive (within one read). */
  grant(bytes: number): void;
  /** Ends the connection with the present peer; another may follow. */
  hangUp(): void;
  close(): void;
}

export interface OutsidePortOptions {
  /** Unique on the clock. */
  readonly name: string;
  readonly clock: Clock;
  readonly io: OutsideIo;
  readonly transport: FrameTransport;
  readonly ledger?: Ledger;
}

/**
 * A port whose far end is outside this process: a QEMU netdev, another vmloom. Its carrier is on while the
 * peer is there.
 */
export class OutsidePort implements PortOwner, EventOwner, Snapshotable {
  readonly name: string;
  /** The end for a NIC or a switch. */
  readonly port: LinkPort;
  readonly link: Link;
  readonly #clock: Clock;
  readonly #io: OutsideIo;
  readonly #transport: FrameTransport;
  readonly #decoder = new FrameDecoder();
  readonly #arrived = new FrameQueue();
  readonly #frame = new Frame();
  readonly #malformed;
  readonly #offline;
  #connected = false;
  #enabled = true;
  #backlog = 0;
  #blocked = false;
  /** Bytes arrived whose frames have not all been taken. */
  #unpaid = 0;

  constructor(options: OutsidePortOptions) {
    const { name, clock, io, transport, ledger = new Ledger() } = options;
    this.name = name;
    this.#clock = clock;
    this.#io = io;
    this.#transport = transport;
    this.#malformed = ledger.counter(name, 'drop', 'malformed');
    this.#offline = ledger.counter(name, 'drop', 'offline');
    clock.register(this);
    this.link = new Link({ name: `${name}.wire`, ends: [`${name}.inside`, name], ledger });
    this.port = this.link.b;
    this.link.a.attach(this);
    this.link.up = false;
    transport.start((kind, args) => io.post(this, kind, args));
    if (!io.replaying) transport.grant(CREDIT);
  }

  /** False takes the carrier away although the peer is there. */
  get enabled(): boolean {
    return this.#enabled;
  }
  set enabled(enabled: boolean) {
    this.#enabled = enabled;
    this.#setCarrier();
  }

  close(): void {
    this.#transport.close();
    this.#clock.unregister(this);
    this.link.close();
  }

  receive(frame: Frame): boolean {
    if (this.#backlog >= BACKLOG) {
      this.#blocked = true;
      return false;
    }
    const stream = this.#transport.framing === 'stream';
    const bytes = stream ? framed(frame.length) : new Uint8Array(frame.length);
    frame.copyTo(bytes, stream ? 4 : 0);
    this.#backlog += bytes.length;
    if (!this.#io.replaying) this.#transport.write(bytes);
    return true;
  }

  writable(): void {
    this.#deliver();
  }

  onEvent(kind: string, args: EventArguments): void {
    switch (kind as keyof TransportArrivals) {
      case 'transport-open':
        this.#decoder.reset();
        this.#backlog = 0;
        this.#connected = true;
        this.#setCarrier();
        this.#unblock();
        break;
      case 'transport-closed':
        this.#arrived.clear();
        this.#connected = false;
        this.#setCarrier();
        this.#backlog = 0;
        this.#unblock();
        this.#pay();
        break;
      case 'transport-drained':
        this.#setCarrier();
        this.#backlog = Math.max(0, this.#backlog - (args['bytes'] as number));
        if (this.#backlog < BACKLOG / 2) this.#unblock();
        break;
      case 'transport-data':
        this.#read(args['bytes'] as Uint8Array);
        break;
    }
  }

  /** The connection itself is not saved: after a restore the transport has its own. */
  save(): Snapshot {
    return {
      type: 'outside-port',
      version: 1,
      link: this.link.save(),
      arrived: this.#arrived.save(),
      blocked: this.#blocked,
      enabled: this.#enabled,
    };
  }

  restore(snapshot: Snapshot): void {
    expectSnapshot(snapshot, 'outside-port', 1);
    this.link.restore(snapshot['link'] as Snapshot);
    this.#enabled = snapshot['enabled'] as boolean;
    this.#arrived.restore(snapshot['arrived'] as unknown as ReturnType<FrameQueue['save']>);
    this.#backlog = 0;
    this.#blocked = snapshot['blocked'] as boolean;
    // As an event, for the port's owner may not be restored yet: the carrier of now, and room.
    this.#io.post(this, 'transport-drained', { bytes: 0 });
  }

  #read(bytes: Uint8Array): void {
    this.#unpaid += bytes.length;
    if (this.#transport.framing === 'datagram') {
      if (bytes.length > MAX_FRAME) this.#malformed.value++;
      else this.#take(bytes);
    } else if (!this.#decoder.push(bytes, (frame) => this.#take(frame))) {
      this.#malformed.value++;
      this.#decoder.reset();
      if (!this.#io.replaying) this.#transport.hangUp();
    }
    this.#deliver();
  }

  #take(bytes: Uint8Array): void {
    if (!this.link.up) {
      this.#offline.value++;
      return;
    }
    this.#frame.clear(bytes);
    this.#frame.add(0, bytes.length);
    if (this.#arrived.count === 0 && this.link.a.send(this.#frame)) return;
    this.#arrived.push(this.#frame, 0, 0);
  }

  #deliver(): void {
    while (this.#arrived.count > 0) {
      if (!this.link.a.send(this.#arrived.peek())) return;
      this.#arrived.pop();
    }
    this.#pay();
  }

  /** Everything that arrived has been taken: as much again may come. */
  #pay(): void {
    if (this.#unpaid > 0 && !this.#io.replaying) this.#transport.grant(this.#unpaid);
    this.#unpaid = 0;
  }

  #setCarrier(): void {
    this.link.up = this.#connected && this.#enabled;
  }

  #unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.link.a.ready();
  }
}
