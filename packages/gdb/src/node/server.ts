import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { GdbSession, type MonitorCommand } from '../session.js';
import type { DebugTarget } from '../target.js';

export interface GdbServerOptions {
  readonly target: DebugTarget;
  /** 127.0.0.1 unless told: whoever connects owns the machine. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly monitor?: MonitorCommand;
}

/** A {@link GdbSession} behind a TCP port, for one GDB at a time; a second one is turned away. */
export class GdbServer {
  readonly #options: GdbServerOptions;
  readonly #server: Server;
  #socket: Socket | undefined;
  #session: GdbSession | undefined;

  constructor(options: GdbServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#connected(socket));
  }

  /** The port, when GDB can connect. Rejects with the system's error when it cannot be had. */
  listen(): Promise<number> {
    const { host = '127.0.0.1', port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Says goodbye to the GDB that is there and listens no more. */
  close(): void {
    this.#session?.end();
    this.#socket?.end();
    this.#server.close();
  }

  #connected(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (this.#socket !== undefined) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    const { target, monitor } = this.#options;
    const session = new GdbSession({
      target,
      send: (bytes) => socket.write(bytes),
      close: () => socket.end(),
      ...(monitor === undefined ? {} : { monitor }),
    });
    this.#socket = socket;
    this.#session = session;
    socket.on('data', (bytes: Uint8Array) => session.receive(bytes));
    socket.on('close', () => {
      session.end();
      this.#socket = undefined;
      this.#session = undefined;
    });
  }
}
