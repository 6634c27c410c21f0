import type { Frame } from './frame.js';

/** What is at the end of a port: a NIC, a switch port, the NAT, a capture. */
export interface PortOwner {
  /**
   * Frames it takes undone (OFFLOAD_*, see {@link Frame.needs}); none unless told. What needs more arrives as the
   * plain frames that it stands for. It may change at any time.
   */
  readonly offloads?: number;
  /**
   * A frame arrived. True: taken (or dropped and counted by the owner). False: the owner has no room; the
   * sender keeps the frame, and the owner calls {@link Port.ready} when it has room again.
   * Must not send on the same port before it returns: replies are scheduled on the clock.
   */
  receive(frame: Frame): boolean;
  /** A port that answered blocked takes frames again. */
  writable?(): void;
  /** The carrier came or went. */
  linkChanged?(up: boolean): void;
}

/** One end of a wire. Whoever holds it sends by it and is the owner that receives. */
export interface Port {
  readonly name: string;
  /** Carrier. */
  readonly up: boolean;
  /**
   * Hands a frame over. True: accepted (the frame may be reused at once). False: blocked; `writable` follows.
   * A frame sent on a port that is down is accepted and dropped, counted by the port.
   */
  send(frame: Frame): boolean;
  /** Says who receives. One owner; a second call replaces it. */
  attach(owner: PortOwner): void;
  /** The owner that answered false to `receive` has room again. */
  ready(): void;
}
