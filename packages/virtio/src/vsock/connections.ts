import { Connection, type ConnectionState } from './connection.js';

/** Connections at once; beyond, requests are refused. */
const MOST = 1024;
/** The first port that stands for a program of the host. */
const FIRST_HOST_PORT = 2 ** 30;

/** The connections of a device, by number and by ports, and those that owe the guest a packet, in turn. */
export class Connections {
  /** Numbers given to those that the guest opens; odd. */
  nextId = 1;
  /** Stands for the next program of the host. */
  nextPort = FIRST_HOST_PORT;
  readonly #byId = new Map<number, Connection>();
  readonly #byPorts = new Map<string, Connection>();
  readonly #owing = new Set<Connection>();

  get count(): number {
    return this.#byId.size;
  }

  get full(): boolean {
    return this.#byId.size >= MOST;
  }

  byId(id: number): Connection | undefined {
    return this.#byId.get(id);
  }

  byPorts(guestPort: number, hostPort: number): Connection | undefined {
    return this.#byPorts.get(key(guestPort, hostPort));
  }

  /** One that the guest opens. */
  fromGuest(guestPort: number, hostPort: number): Connection {
    const connection = this.#add(this.nextId, guestPort, hostPort, 'connecting');
    this.nextId += 2;
    return connection;
  }

  /** One that a program of the host opens, with a port that stands for it. */
  fromHost(id: number, guestPort: number): Connection {
    while (this.#byPorts.has(key(guestPort, this.nextPort))) this.nextPort = following(this.nextPort);
    const connection = this.#add(id, guestPort, this.nextPort, 'requested');
    this.nextPort = following(this.nextPort);
    return connection;
  }

  remove(connection: Connection): void {
    this.#byId.delete(connection.id);
    this.#byPorts.delete(key(connection.guestPort, connection.hostPort));
    this.#owing.delete(connection);
  }

  /** It may owe the guest a packet; behind all others. */
  owes(connection: Connection): void {
    this.#owing.add(connection);
  }

  /** The first one that owes a packet. */
  firstOwing(): Connection | undefined {
    for (const connection of this.#owing) {
      if (connection.next() !== 0) return connection;
      this.#owing.delete(connection);
    }
    return undefined;
  }

  /** The first one has had its turn. */
  turn(connection: Connection): void {
    this.#owing.delete(connection);
    this.#owing.add(connection);
  }

  /** Removes all; those there were. */
  clear(): Connection[] {
    const all = [...this.#byId.values()];
    this.#byId.clear();
    this.#byPorts.clear();
    this.#owing.clear();
    return all;
  }

  #add(id: number, guestPort: number, hostPort: number, state: ConnectionState): Connection {
    const connection = new Connection(id, guestPort, hostPort, state);
    this.#byId.set(id, connection);
    this.#byPorts.set(key(guestPort, hostPort), connection);
    return connection;
  }
}

const key = (guestPort: number, hostPort: number): string => `${guestPort}:${hostPort}`;

const following = (port: number): number => (port >= 0xffff_fffe ? FIRST_HOST_PORT : port + 1);
