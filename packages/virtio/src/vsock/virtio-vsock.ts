import {
  expectSnapshot,
  type Counter,
  type EventArguments,
  type EventOwner,
  type OutsideIo,
  type Snapshot,
} from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import { readConfigBytes } from '../config-bytes.js';
import { VirtioDevice, type DeviceHost } from '../device.js';
import { VirtioError } from '../error.js';
import { features, hasFeature } from '../features.js';
import type { Chain } from '../queue/chain.js';
import type { Virtqueue } from '../queue/queue.js';
import * as V from './codes.js';
import { BUFFER_SPACE, type Connection } from './connection.js';
import { Connections } from './connections.js';
import { PacketHeader } from './packet.js';
import type { HostSockets, SocketArrivalKind, SocketArrivals } from './sockets.js';

export interface VirtioVsockOptions {
  /** The guest's context ID: 3 to 0xfffffffe. */
  readonly cid: number;
  readonly io: OutsideIo;
  readonly sockets: HostSockets;
  /** Descriptors per queue, a power of two. 256 unless told. */
  readonly queueSize?: number;
}

/** Refusals of packets for no connection that wait for receive buffers; beyond, the guest's packets wait. */
const MOST_RESETS = 256;
/** Bytes of payload in one packet, as Linux has it. */
const LONGEST = 64 * 1024;
/** Nanoseconds after which a guest that does not answer a shutdown is cut off (5.10.6.5). */
const LINGER = 8e9;
const LINGER_EVENT = 'linger';
const SNAPSHOT_VERSION = 1;

/** The place on the clock at which the host's sockets speak. */
class SocketDoor implements EventOwner {
  constructor(
    readonly name: string,
    private readonly arrived: (kind: string, args: EventArguments) => void,
  ) {}

  onEvent(kind: string, args: EventArguments): void {
    this.arrived(kind, args);
  }
}

/** 5.10: the socket device. Streams between ports of the guest and sockets of the host. */
export class VirtioVsock extends VirtioDevice {
  readonly type = 19;
  readonly model = 'vhost-vsock';
  readonly features = features(V.F_STREAM, V.F_NO_IMPLIED_STREAM);
  readonly queues;
  readonly configSize = 8;
  readonly cid: number;
  readonly #config = new Uint8Array(8);
  readonly #io: OutsideIo;
  readonly #sockets: HostSockets;
  readonly #connections = new Connections();
  /** Refusals, as pairs of ports: the host's, the guest's. */
  #resets: [hostPort: number, guestPort: number, type: number][] = [];
  readonly #incoming = new PacketHeader();
  readonly #outgoing = new PacketHeader();
  #door: SocketDoor | undefined;
  #started = false;
  /** The guest is to hear that its connections are gone. */
  #transportReset = false;
  #sent: Counter | undefined;
  #received: Counter | undefined;
  #refused: Counter | undefined;

  /** @throws VirtioError bad-option */
  constructor(options: VirtioVsockOptions) {
    super();
    const { cid, queueSize = 256 } = options;
    if (!Number.isInteger(cid) || cid < 3 || cid > 0xffff_fffe) {
      throw new VirtioError('bad-option', `the context ID of a guest is 3 to 0xfffffffe, not ${cid}`);
    }
    this.cid = cid;
    this.#io = options.io;
    this.#sockets = options.sockets;
    this.queues = Array.from({ length: 3 }, () => ({ size: queueSize }));
    new DataView(this.#config.buffer).setUint32(0, cid, true);
  }

  /** Connections at the moment. */
  get connections(): number {
    return this.#connections.count;
  }

  // VirtioDevice -------------------------------------------------------------------------------------------

  protected override attached(host: DeviceHost): void {
    this.#sent = host.counter('bytes', 'to guest');
    this.#received = host.counter('bytes', 'from guest');
    this.#refused = host.counter('packet', 'refused');
    const door = new SocketDoor(`${host.name}.sockets`, (kind, args) => this.#arrived(kind, args));
    this.#door = door;
    host.clock.register(door);
    if (this.#started) return;
    this.#started = true;
    this.#sockets.start((kind, args) => {
      if (this.#door !== undefined) this.#io.post(this.#door, kind, args);
    });
  }

  protected override detached(): void {
    this.#abortAll();
    if (this.#door !== undefined) this.host.clock.unregister(this.#door);
    this.#door = undefined;
  }

  readConfig(offset: number, width: HandlerWidth): number {
    return readConfigBytes(this.#config, offset, width);
  }

  /** 5.10.3: without any bit streams are meant; NO_IMPLIED_STREAM alone would leave no type of socket. */
  override acceptsFeatures(set: bigint): boolean {
    return hasFeature(set, V.F_STREAM) || !hasFeature(set, V.F_NO_IMPLIED_STREAM);
  }

  notify(queue: Virtqueue): void {
    if (queue.index === V.TX_QUEUE) this.#takeAll(queue);
    else if (queue.index === V.EVENT_QUEUE) this.#sendEvent();
    this.#pump();
  }

  override onEvent(kind: string, args: EventArguments): void {
    if (kind !== LINGER_EVENT) return;
    const connection = this.#connections.byId(args['connection'] as number);
    if (connection === undefined) return;
    connection.linger = 0;
    this.#reset(connection);
    this.#pump();
  }

  override reset(): void {
    this.#abortAll();
    this.#transportReset = false;
  }

  /** Connections are not saved: the guest hears of their end after a restore. */
  override saveState(): Snapshot {
    return {
      type: this.model,
      version: SNAPSHOT_VERSION,
      nextId: this.#connections.nextId,
      nextPort: this.#connections.nextPort,
    };
  }

  override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, this.model, SNAPSHOT_VERSION);
    this.#abortAll();
    // Numbers of before are not given again: what still arrives for them is for nobody.
    this.#connections.nextId = Math.max(this.#connections.nextId, snapshot['nextId'] as number);
    this.#connections.nextPort = snapshot['nextPort'] as number;
    this.#transportReset = true;
    // By the outside's gate, for the clock may be restored after this.
    this.#io.post(this.#door!, 'wake', {});
  }

  // From the guest -----------------------------------------------------------------------------------------

  #takeAll(queue: Virtqueue): void {
    let chains = 0;
    do {
      queue.disableNotifications();
      // 5.10.6.1: packets are taken while there is room for what they may cause, receive buffers or not.
      while (this.#resets.length < MOST_RESETS) {
        const chain = queue.pop();
        if (chain === undefined) break;
        const { token } = chain;
        this.#take(chain);
        if (!this.host.running) return;
        queue.push(token, 0);
        chains++;
        if (this.#resets.length === MOST_RESETS) this.#pump();
      }
      if (this.#resets.length >= MOST_RESETS) break;
    } while (queue.enableNotifications());
    if (chains > 0) queue.signal();
  }

  #take(chain: Chain): void {
    const { readable } = chain;
    const packet = this.#incoming;
    if (readable.length < V.HDR_SIZE) return this.host.needsReset('short socket packet');
    readable.read(0, packet.bytes);
    packet.decode();
    // 5.10.6.4.1: the guest speaks for itself, and to the host alone.
    if (packet.sourceCid !== this.cid || packet.destinationCid !== V.HOST_CID) {
      this.#refused!.value++;
      return;
    }
    const { sourcePort: guestPort, destinationPort: hostPort } = packet;
    const connection = this.#connections.byPorts(guestPort, hostPort);
    if (packet.type !== V.TYPE_STREAM) {
      if (packet.op !== V.OP_RST) this.#refuse(hostPort, guestPort, packet.type);
      return;
    }
    if (packet.length > LONGEST || packet.length > readable.length - V.HDR_SIZE) {
      if (connection !== undefined) this.#reset(connection);
      else this.#refuse(hostPort, guestPort);
      return;
    }
    if (connection === undefined) this.#open(packet);
    else this.#receive(connection, packet, chain);
  }

  /** A packet for no connection. */
  #open(packet: PacketHeader): void {
    const { sourcePort: guestPort, destinationPort: hostPort } = packet;
    if (packet.op === V.OP_RST) return;
    if (packet.op !== V.OP_REQUEST || this.#connections.full) {
      return this.#refuse(hostPort, guestPort);
    }
    const connection = this.#connections.fromGuest(guestPort, hostPort);
    connection.hear(packet.bufferSpace, packet.forwarded);
    this.#reach()?.connect(connection.id, hostPort);
  }

  #receive(connection: Connection, packet: PacketHeader, chain: Chain): void {
    connection.hear(packet.bufferSpace, packet.forwarded);
    const { state } = connection;
    const established = state === 'open' || state === 'closing';
    switch (packet.op) {
      case V.OP_RESPONSE:
        if (state !== 'requested') return this.#reset(connection);
        connection.state = 'open';
        this.#reach()?.accept(connection.id, connection.hostPort);
        this.#reach()?.grant(connection.id, BUFFER_SPACE);
        break;
      case V.OP_RST:
        if (state !== 'closing') this.#reach()?.abort(connection.id);
        this.#remove(connection);
        return;
      case V.OP_SHUTDOWN:
        if (state === 'requested') return this.#reset(connection);
        this.#shutdown(connection, packet.flags);
        return;
      case V.OP_RW:
        if (!established || (connection.guestShutdown & V.SHUTDOWN_SEND) !== 0)
          return this.#reset(connection);
        if (!connection.receive(packet.length)) return this.#reset(connection);
        this.#received!.value += packet.length;
        if (state === 'closing') connection.forward(packet.length);
        else if (packet.length > 0) {
          this.#reach()?.write(connection.id, chain.readable.bytes(V.HDR_SIZE, packet.length));
        }
        break;
      case V.OP_CREDIT_UPDATE:
        break;
      case V.OP_CREDIT_REQUEST:
        connection.owed.add(V.OP_CREDIT_UPDATE);
        break;
      default:
        return this.#reset(connection);
    }
    this.#connections.owes(connection);
  }

  /** 5.10.6.5: hints are permanent; with both the stream is over, and the guest waits for RST. */
  #shutdown(connection: Connection, flags: number): void {
    const before = connection.guestShutdown;
    connection.guestShutdown |= flags & V.SHUTDOWN_BOTH;
    if ((connection.guestShutdown & V.SHUTDOWN_RECEIVE) !== 0) connection.discard();
    if (connection.guestShutdown === V.SHUTDOWN_BOTH) {
      if (connection.state === 'connecting') this.#reach()?.abort(connection.id);
      else if (connection.state === 'open') this.#reach()?.finish(connection.id);
      this.#refuse(connection.hostPort, connection.guestPort);
      this.#remove(connection);
      return;
    }
    if ((connection.guestShutdown & ~before & V.SHUTDOWN_SEND) !== 0 && connection.state === 'open') {
      this.#reach()?.end(connection.id);
    }
    this.#connections.owes(connection);
  }

  // From the host ------------------------------------------------------------------------------------------

  #arrived(kind: string, args: EventArguments): void {
    if (kind === 'wake') {
      this.#sendEvent();
      return;
    }
    const is = <Kind extends SocketArrivalKind>(_kind: Kind): SocketArrivals[Kind] =>
      args as unknown as SocketArrivals[Kind];
    if (kind === 'socket-wanted') {
      const { connection, port } = is(kind);
      this.#want(connection, port);
    } else {
      const connection = this.#connections.byId(args['connection'] as number);
      if (connection === undefined) return;
      this.#connections.owes(connection);
      switch (kind as Exclude<SocketArrivalKind, 'socket-wanted'>) {
        case 'socket-connected':
          if (connection.state !== 'connecting') break;
          connection.state = 'open';
          connection.owed.add(V.OP_RESPONSE);
          this.#reach()?.grant(connection.id, BUFFER_SPACE);
          // What the guest said while it waited.
          if ((connection.guestShutdown & V.SHUTDOWN_SEND) !== 0) this.#reach()?.end(connection.id);
          break;
        case 'socket-refused':
          this.#refuse(connection.hostPort, connection.guestPort);
          this.#remove(connection);
          break;
        case 'socket-data':
          this.#data(connection, is('socket-data').bytes);
          break;
        case 'socket-end':
          connection.ended = true;
          break;
        case 'socket-written':
          connection.forward(is('socket-written').bytes);
          break;
        case 'socket-closed':
          this.#closed(connection);
          break;
      }
    }
    this.#pump();
  }

  #want(id: number, guestPort: number): void {
    if (!this.host.running || this.#connections.full) return this.#reach()?.abort(id);
    const connection = this.#connections.fromHost(id, guestPort);
    connection.owed.add(V.OP_REQUEST);
    this.#connections.owes(connection);
  }

  #data(connection: Connection, bytes: Uint8Array): void {
    if ((connection.guestShutdown & V.SHUTDOWN_RECEIVE) !== 0)
      this.#reach()?.grant(connection.id, bytes.length);
    else connection.enqueue(bytes);
  }

  /** The host's end is gone: the guest gets what is left, and then hears of it. */
  #closed(connection: Connection): void {
    if (connection.state === 'open') {
      connection.state = 'closing';
      connection.linger = this.host.after(LINGER_EVENT, LINGER, { connection: connection.id });
      return;
    }
    if (connection.state === 'requested' && connection.owed.has(V.OP_REQUEST)) this.#remove(connection);
    else if (connection.state !== 'closing') this.#reset(connection);
  }

  // To the guest -------------------------------------------------------------------------------------------

  /** Fills receive buffers with what is owed, one packet per connection in turn. */
  #pump(): void {
    if (!this.host.running) return;
    const queue = this.host.queues[V.RX_QUEUE];
    const stalled = this.#resets.length >= MOST_RESETS;
    let packets = 0;
    while (queue.ready) {
      const [reset] = this.#resets;
      if (reset !== undefined) {
        if (!this.#send(queue, (packet) => this.#describeReset(packet, reset))) break;
        this.#resets.shift();
        packets++;
        continue;
      }
      const connection = this.#connections.firstOwing();
      if (connection === undefined || !this.#sendNext(queue, connection)) break;
      packets++;
    }
    if (packets > 0) queue.signal();
    // The guest's packets waited for room here.
    if (stalled && this.#resets.length < MOST_RESETS) this.host.kick(this.host.queues[V.TX_QUEUE]);
  }

  #sendNext(queue: Virtqueue, connection: Connection): boolean {
    const op = connection.next();
    const sent = this.#send(queue, (packet, chain) => this.#describe(packet, chain, connection, op));
    if (!sent) return false;
    this.#connections.turn(connection);
    if (op === V.OP_RST) this.#remove(connection);
    return true;
  }

  /** Puts one packet into a receive buffer; false when there is none. */
  #send(queue: Virtqueue, describe: (packet: PacketHeader, chain: Chain) => void): boolean {
    const chain = nextBuffer(queue);
    if (chain === undefined) return false;
    if (chain.writable.length < V.HDR_SIZE) {
      this.host.needsReset('short socket buffer');
      return false;
    }
    const packet = this.#outgoing;
    packet.sourceCid = V.HOST_CID;
    packet.destinationCid = this.cid;
    packet.type = V.TYPE_STREAM;
    packet.length = packet.flags = packet.bufferSpace = packet.forwarded = 0;
    describe(packet, chain);
    packet.encode();
    chain.writable.write(0, packet.bytes);
    queue.push(chain.token, V.HDR_SIZE + packet.length);
    return true;
  }

  #describeReset(packet: PacketHeader, [hostPort, guestPort, type]: [number, number, number]): void {
    packet.op = V.OP_RST;
    packet.sourcePort = hostPort;
    packet.destinationPort = guestPort;
    packet.type = type;
  }

  #describe(packet: PacketHeader, chain: Chain, connection: Connection, op: number): void {
    packet.op = op;
    packet.sourcePort = connection.hostPort;
    packet.destinationPort = connection.guestPort;
    if (op === V.OP_RW) {
      let at = V.HDR_SIZE;
      const room = Math.min(chain.writable.length - V.HDR_SIZE, LONGEST);
      packet.length = connection.take(room, (piece) => (at += chain.writable.write(at, piece)));
      this.#sent!.value += packet.length;
      if (connection.state === 'open') this.#reach()?.grant(connection.id, packet.length);
    } else connection.done(op);
    if (op === V.OP_SHUTDOWN) packet.flags = connection.shutdown;
    packet.bufferSpace = BUFFER_SPACE;
    packet.forwarded = connection.tellForwarded();
  }

  /** 5.10.6.7: the connections are gone. Waits for a buffer where there is none. */
  #sendEvent(): void {
    const queue = this.host.queues[V.EVENT_QUEUE];
    if (!this.#transportReset || !this.host.running || !queue.ready) return;
    const chain = nextBuffer(queue);
    if (chain === undefined) return;
    chain.writable.fill(0, 4, V.EVENT_TRANSPORT_RESET);
    queue.push(chain.token, Math.min(4, chain.writable.length));
    queue.signal();
    this.#transportReset = false;
  }

  // Connections --------------------------------------------------------------------------------------------

  /** The outside, unless a record speaks for it. */
  #reach(): HostSockets | undefined {
    return this.#io.replaying ? undefined : this.#sockets;
  }

  #remove(connection: Connection): void {
    this.#connections.remove(connection);
    if (connection.linger !== 0) this.host.cancel(connection.linger);
  }

  /** Breaks a connection off on both sides. */
  #reset(connection: Connection): void {
    if (connection.state !== 'closing') this.#reach()?.abort(connection.id);
    this.#remove(connection);
    this.#refuse(connection.hostPort, connection.guestPort);
  }

  /** RST, for a packet or a connection that cannot be. */
  #refuse(hostPort: number, guestPort: number, type = V.TYPE_STREAM): void {
    this.#refused!.value++;
    this.#resets.push([hostPort, guestPort, type]);
  }

  #abortAll(): void {
    for (const { id, state } of this.#connections.clear()) if (state !== 'closing') this.#reach()?.abort(id);
    this.#resets = [];
  }
}

/** The next buffer; where there is none the driver is asked for a doorbell with the one that follows. */
function nextBuffer(queue: Virtqueue): Chain | undefined {
  return queue.pop() ?? (queue.enableNotifications() ? queue.pop() : undefined);
}
