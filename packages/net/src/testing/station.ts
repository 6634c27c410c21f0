import { Frame } from '../frame.js';
import type { Port, PortOwner } from '../port.js';

/** A peer at a port for tests: records what arrives, refuses when told, sends bytes. */
export class Station implements PortOwner {
  /** Copies of the frames that arrived. */
  readonly received: Uint8Array[] = [];
  /** The very frame objects' memories, to see whether bytes were copied on the way. */
  readonly memories: Uint8Array[] = [];
  /** Carrier changes seen. */
  readonly carrier: boolean[] = [];
  /** Times that the port said it is writable again. */
  writableCalls = 0;
  /** Frames it still takes before it refuses; Infinity unless told. */
  room = Infinity;
  /** Called for each frame that was taken. */
  onFrame: ((bytes: Uint8Array) => void) | undefined;
  /** Called on writable. */
  onWritable: (() => void) | undefined;

  constructor(readonly port: Port) {
    port.attach(this);
  }

  receive(frame: Frame): boolean {
    if (this.room <= 0) return false;
    this.room--;
    const bytes = frame.toBytes();
    this.received.push(bytes);
    this.memories.push(frame.memory);
    this.onFrame?.(bytes);
    return true;
  }

  writable(): void {
    this.writableCalls++;
    this.onWritable?.();
  }

  linkChanged(up: boolean): void {
    this.carrier.push(up);
  }

  /** Takes so many frames more. */
  admit(frames: number): void {
    this.room = frames;
    this.port.ready();
  }

  send(bytes: Uint8Array): boolean {
    return this.port.send(Frame.of(bytes));
  }
}
