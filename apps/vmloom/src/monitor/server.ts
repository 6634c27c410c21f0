import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { CliError } from '../error.js';
import { QmpSession } from './qmp.js';
import type { MonitorTarget } from './target.js';

/** The monitor on a UNIX socket; any number of peers, each with a session of its own. */
export class MonitorServer {
  readonly #sessions = new Map<Socket, QmpSession>();
  readonly #server: Server;
  #onFirst: (() => void) | undefined;

  /** `now` is the machine's time in nanoseconds, for the stamps of events. */
  constructor(
    readonly path: string,
    readonly target: MonitorTarget,
    readonly now: () => number,
  ) {
    this.#server = createServer((socket) => this.#connected(socket));
  }

  /** Resolves when peers can connect. @throws CliError */
  async listen(): Promise<void> {
    rmSync(this.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        reject(new CliError(`the monitor cannot listen at ${this.path}: ${cause.message}`));
      });
      this.#server.listen(this.path, resolve);
    });
  }

  /** Resolves when the first peer has connected. */
  firstPeer(): Promise<void> {
    if (this.#sessions.size > 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onFirst = resolve));
  }

  /** Tells every peer. */
  event(name: string, data = {}): void {
    for (const session of this.#sessions.values()) session.event(name, this.now(), data);
  }

  close(): void {
    for (const socket of this.#sessions.keys()) socket.end();
    this.#server.close();
  }

  #connected(socket: Socket): void {
    socket.setEncoding('utf8');
    const session = new QmpSession(
      this.target,
      (line) => socket.write(line),
      () => socket.destroy(),
    );
    this.#sessions.set(socket, session);
    socket.on('data', (text: string) => session.receive(text));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sessions.delete(socket));
    this.#onFirst?.();
  }
}
