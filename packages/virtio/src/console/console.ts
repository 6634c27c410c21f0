import { expectSnapshot, type Snapshot, type SnapshotValue } from '@vmloom/device';
import type { HandlerWidth } from '@vmloom/memory';
import { readConfigBytes } from '../config-bytes.js';
import { VirtioDevice, type DeviceHost, type QueueShape } from '../device.js';
import { VirtioError } from '../error.js';
import { features, hasFeature } from '../features.js';
import type { Chain } from '../queue/chain.js';
import type { Virtqueue } from '../queue/queue.js';
import { ControlOutbox } from './control.js';
import { ConsoleCounters } from './counters.js';
import { ConsolePort, type ConsolePortOptions, type PortOwner } from './port.js';
import * as R from './registers.js';

/** Bytes of output that a device hands out within {@link INTERVAL}. */
const BUDGET = 1024 * 1024;
/** Nanoseconds. */
const INTERVAL = 1_000_000;
/** Bytes handed out at a time. */
const PIECE = 65_536;

export interface VirtioConsoleOptions {
  /** Ports that can exist at a time, 1 to 128. More than 1, or `multiport`, gives control queues. 1 unless told. */
  readonly maxPorts?: number;
  /** Offers MULTIPORT with one port too. */
  readonly multiport?: boolean;
  /** Characters; 80 by 25 unless told. */
  readonly cols?: number;
  readonly rows?: number;
}

/** The console device (virtio 1.3, 5.3): ports between host and guest. */
export class VirtioConsole extends VirtioDevice implements PortOwner {
  readonly type = R.CONSOLE_DEVICE_ID;
  readonly model = 'virtio-console';
  readonly features: bigint;
  readonly queues: readonly QueueShape[];
  readonly configSize = R.CONFIG_SIZE;
  readonly maxPorts: number;
  readonly #ports = new Map<number, ConsolePort>();
  readonly #config = new Uint8Array(R.CONFIG_SIZE);
  readonly #outbox = new ControlOutbox();
  #counters: ConsoleCounters | undefined;
  /** The driver is ready for control messages. */
  #ready = false;
  #budget = BUDGET;
  #renewal = 0;
  #paused = false;

  /** @throws VirtioError bad-option */
  constructor(options: VirtioConsoleOptions = {}) {
    super();
    const { maxPorts = 1, multiport = maxPorts > 1, cols = 80, rows = 25 } = options;
    if (!Number.isInteger(maxPorts) || maxPorts < 1 || maxPorts > 128 || (maxPorts > 1 && !multiport)) {
      throw new VirtioError(
        'bad-option',
        `virtio-console: ${maxPorts} ports: 1 to 128, more than 1 with multiport`,
      );
    }
    this.maxPorts = maxPorts;
    const bits = [R.VIRTIO_CONSOLE_F_SIZE, R.VIRTIO_CONSOLE_F_EMERG_WRITE];
    if (multiport) bits.push(R.VIRTIO_CONSOLE_F_MULTIPORT);
    this.features = features(...bits);
    const count = multiport ? 2 + 2 * maxPorts : 2;
    this.queues = Array.from({ length: count }, () => ({ size: 128 }));
    const view = new DataView(this.#config.buffer);
    view.setUint16(R.CONFIG_COLS, cols, true);
    view.setUint16(R.CONFIG_ROWS, rows, true);
    view.setUint32(R.CONFIG_MAX_NR_PORTS, maxPorts, true);
  }

  // For the machine ----------------------------------------------------------------------------------------

  /** Plugs a port in, at the lowest free number unless told. @throws VirtioError bad-option when there is none */
  addPort(options: ConsolePortOptions & { readonly id?: number } = {}): ConsolePort {
    let id = options.id ?? 0;
    if (options.id === undefined) while (this.#ports.has(id)) id++;
    if (id < 0 || id >= this.maxPorts || this.#ports.has(id)) {
      throw new VirtioError(
        'bad-option',
        `virtio-console: port ${id} is taken, or not below ${this.maxPorts}`,
      );
    }
    const port = new ConsolePort(id, options, this);
    this.#ports.set(id, port);
    if (this.#ready) this.#announce(port);
    else if (this.isAttached && this.host.running && !this.#multiport && id === 0) port.setGuestOpen(true);
    return port;
  }

  /** Unplugs a port. */
  removePort(port: ConsolePort): void {
    if (this.#ports.get(port.id) !== port) return;
    this.#ports.delete(port.id);
    port.reset();
    this.#outbox.drop(port.id);
    if (this.#ready) this.#tell(port.id, R.VIRTIO_CONSOLE_DEVICE_REMOVE);
  }

  port(id: number): ConsolePort | undefined {
    return this.#ports.get(id);
  }

  /** The terminal has another size now: of port 0 (configuration space), and of a console port (control message). */
  resize(cols: number, rows: number, port = 0): void {
    if (port === 0) {
      const view = new DataView(this.#config.buffer);
      view.setUint16(R.CONFIG_COLS, cols, true);
      view.setUint16(R.CONFIG_ROWS, rows, true);
      if (this.isAttached) this.host.configChanged();
    }
    if (!(this.#ports.get(port)?.ready ?? false)) return;
    const rest = Uint8Array.of(cols & 0xff, cols >>> 8, rows & 0xff, rows >>> 8);
    this.#tell(port, R.VIRTIO_CONSOLE_RESIZE, 0, rest);
  }

  // For ports ----------------------------------------------------------------------------------------------

  inputReady(port: ConsolePort): void {
    if (this.#ports.get(port.id) === port && this.isAttached && this.host.running) this.#feed(port);
  }

  opened(port: ConsolePort): void {
    if (port.ready) this.#tell(port.id, R.VIRTIO_CONSOLE_PORT_OPEN, Number(port.open));
  }

  // The device ---------------------------------------------------------------------------------------------

  protected override attached(host: DeviceHost): void {
    this.#counters = new ConsoleCounters(host);
  }

  readConfig(offset: number, width: HandlerWidth): number {
    return readConfigBytes(this.#config, offset, width);
  }

  /** 5.3.5.1: `emerg_wr` prints a character at any time, on a device that nobody has set up too. */
  override writeConfig(offset: number, _width: HandlerWidth, value: number): void {
    if (offset === R.CONFIG_EMERG_WR) this.#ports.get(0)?.output(Uint8Array.of(value & 0xff));
  }

  override started(): void {
    if (!this.#multiport) this.#ports.get(0)?.setGuestOpen(true);
  }

  notify(queue: Virtqueue): void {
    const { index } = queue;
    if (index === R.CONTROL_RECEIVE) return this.#outbox.deliver(queue);
    if (index === R.CONTROL_TRANSMIT) return this.#control(queue);
    if (index % 2 === 1) return this.#print(queue);
    const port = this.#ports.get(portOf(index));
    if (port !== undefined) this.#feed(port);
    else queue.enableNotifications();
  }

  override onEvent(): void {
    this.#paused = false;
    for (const queue of this.host.queues) {
      if (queue.index % 2 === 1 && queue.index !== R.CONTROL_TRANSMIT) this.#print(queue);
    }
  }

  override reset(): void {
    this.#ready = false;
    this.#paused = false;
    this.#outbox.clear();
    for (const port of this.#ports.values()) port.reset();
  }

  override saveState(): Snapshot {
    return {
      type: this.model,
      version: 1,
      ready: this.#ready,
      config: this.#config.slice(),
      outbox: this.#outbox.save(),
      ports: [...this.#ports.values()].map((port) => ({ id: port.id, state: port.save() })),
      output: { budget: this.#budget, renewal: this.#renewal, paused: this.#paused },
    };
  }

  /** The same ports must be plugged in. @throws DeviceError bad-snapshot; VirtioError bad-snapshot */
  override restoreState(snapshot: Snapshot): void {
    expectSnapshot(snapshot, this.model, 1);
    const ports = snapshot['ports'] as { id: number; state: SnapshotValue }[];
    if (ports.length !== this.#ports.size || ports.some(({ id }) => !this.#ports.has(id))) {
      throw new VirtioError('bad-snapshot', 'virtio-console: the snapshot has other ports');
    }
    this.#ready = snapshot['ready'] as boolean;
    this.#config.set(snapshot['config'] as Uint8Array);
    this.#outbox.restore(snapshot['outbox']);
    for (const { id, state } of ports) this.#ports.get(id)!.restore(state);
    const output = snapshot['output'] as { budget: number; renewal: number; paused: boolean };
    this.#budget = output.budget;
    this.#renewal = output.renewal;
    this.#paused = output.paused;
  }

  get #multiport(): boolean {
    return hasFeature(this.host.features, R.VIRTIO_CONSOLE_F_MULTIPORT);
  }

  /** Input of a port into the buffers of its receive queue. */
  #feed(port: ConsolePort): void {
    const queue = this.host.queues[receiveQueue(port.id)];
    while (port.guestOpen && port.input.length > 0) {
      const chain = queue.pop();
      if (chain === undefined) {
        if (queue.enableNotifications()) continue;
        break;
      }
      const { token } = chain;
      const written = chain.writable.write(0, port.input);
      port.consume(written);
      this.#counters!.received.value += written;
      queue.push(token, written);
    }
    queue.signal();
    port.settle();
  }

  /** Output of a transmit queue: what was begun first. */
  #print(queue: Virtqueue): void {
    if (this.#paused) return;
    this.#renew();
    const port = this.#ports.get(portOf(queue.index));
    for (const held of queue.held) {
      const chain = queue.map(held);
      if (chain === undefined) return;
      const from = held.request as number;
      const at = this.#output(port, chain, from);
      if (at < chain.readable.length) {
        held.request = at;
        return this.#pause(queue);
      }
      queue.complete(held, 0);
    }
    do {
      for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
        const at = this.#output(port, chain, 0);
        if (at < chain.readable.length) {
          queue.hold().request = at;
          return this.#pause(queue);
        }
        queue.push(chain.token, 0);
      }
    } while (queue.enableNotifications());
    queue.signal();
  }

  /** Hands out bytes of a chain from `at` on; how far it came. */
  #output(port: ConsolePort | undefined, chain: Chain, at: number): number {
    const { readable } = chain;
    while (at < readable.length && this.#budget > 0) {
      const bytes = readable.bytes(at, PIECE);
      at += bytes.length;
      this.#budget -= bytes.length;
      this.#counters!.sent.value += bytes.length;
      port?.output(bytes);
    }
    return at;
  }

  #renew(): void {
    const { now } = this.host.clock;
    if (now < this.#renewal) return;
    this.#budget = BUDGET;
    this.#renewal = now + INTERVAL;
  }

  #pause(queue: Virtqueue): void {
    queue.signal();
    this.#paused = true;
    this.host.after('output', this.#renewal - this.host.clock.now);
  }

  // 5.3.6.2 ------------------------------------------------------------------------------------------------

  #control(queue: Virtqueue): void {
    do {
      for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
        const { readable, token } = chain;
        if (readable.length < R.CONTROL) this.#counters!.malformed.value++;
        else this.#hear(readable.u32(0), readable.u16(4), readable.u16(6));
        queue.push(token, 0);
      }
    } while (queue.enableNotifications());
    queue.signal();
  }

  #hear(id: number, event: number, value: number): void {
    if (event === R.VIRTIO_CONSOLE_DEVICE_READY) {
      this.#ready = value === 1;
      if (this.#ready) for (const port of this.#ports.values()) this.#announce(port);
      return;
    }
    const port = this.#ports.get(id);
    if (port === undefined || !this.#ready) return void this.#counters!.malformed.value++;
    if (event === R.VIRTIO_CONSOLE_PORT_READY) this.#portReady(port, value === 1);
    else if (event === R.VIRTIO_CONSOLE_PORT_OPEN) {
      port.setGuestOpen(value === 1);
      this.#feed(port);
    } else this.#counters!.malformed.value++;
  }

  #announce(port: ConsolePort): void {
    // 5.3.6.2.1: a port that exists is not added again.
    if (!port.ready) this.#tell(port.id, R.VIRTIO_CONSOLE_DEVICE_ADD);
  }

  #portReady(port: ConsolePort, ready: boolean): void {
    port.ready = ready;
    if (!ready) return;
    if (port.isConsole) this.#tell(port.id, R.VIRTIO_CONSOLE_CONSOLE_PORT, 1);
    if (port.name !== '')
      this.#tell(port.id, R.VIRTIO_CONSOLE_PORT_NAME, 1, new TextEncoder().encode(port.name));
    if (port.open) this.#tell(port.id, R.VIRTIO_CONSOLE_PORT_OPEN, 1);
  }

  #tell(id: number, event: number, value = 0, rest?: Uint8Array): void {
    this.#outbox.put({ id, event, value, ...(rest !== undefined && { rest }) });
    this.#outbox.deliver(this.host.queues[R.CONTROL_RECEIVE]);
  }
}

const receiveQueue = (id: number): number => (id === 0 ? R.RECEIVE_0 : 2 + 2 * id);
const portOf = (queue: number): number => (queue < 2 ? 0 : (queue >>> 1) - 1);
