import { Frame, type Port, type PortOwner } from '@vmloom/net';

/** A wire whose far end is the test: what is sent is kept, what is delivered comes from bytes. */
export class TestPort implements Port {
  readonly name = 'test';
  readonly sent: Uint8Array[] = [];
  /** Ranges of each sent frame: more than 0 bytes each, for tests of zero-copy. */
  readonly ranges: { offset: number; length: number }[][] = [];
  /** False: the wire is blocked; see {@link TestPort.unblock}. */
  accepting = true;
  /** Times that the owner said it had room again. */
  readyCalls = 0;
  #up = true;
  #owner: PortOwner | undefined;

  get up(): boolean {
    return this.#up;
  }

  set up(up: boolean) {
    this.#up = up;
    this.#owner?.linkChanged?.(up);
  }

  send(frame: Frame): boolean {
    if (!this.accepting) return false;
    this.sent.push(frame.toBytes());
    this.ranges.push(
      Array.from({ length: frame.count }, (_, index) => ({
        offset: frame.offsets[index],
        length: frame.lengths[index],
      })),
    );
    return true;
  }

  attach(owner: PortOwner): void {
    this.#owner = owner;
  }

  ready(): void {
    this.readyCalls++;
  }

  /** A frame arrives at the device. */
  deliver(bytes: Uint8Array): boolean {
    return this.#owner!.receive(Frame.of(bytes));
  }

  unblock(): void {
    this.accepting = true;
    this.#owner?.writable?.();
  }
}

/** Two ports joined without delay: what one end sends the other receives at once. */
export function joinedPorts(): [Port, Port] {
  const ends = [0, 1].map((index) => ({ index, owner: undefined as PortOwner | undefined }));
  const port = (index: number): Port => ({
    name: `end${index}`,
    up: true,
    send: (frame) => ends[1 - index].owner?.receive(frame) ?? true,
    attach: (owner) => {
      ends[index].owner = owner;
    },
    ready: () => ends[1 - index].owner?.writable?.(),
  });
  return [port(0), port(1)];
}
