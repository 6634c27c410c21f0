import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { GATEWAY, nameOf, runPlan, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';

/** An address of the guest's network that nobody has. */
const NOBODY = '10.0.2.99';
/** What a server gives before it fails, and what it had promised. */
const GIVEN = 50_000;
const PROMISED = 1_000_000;

/** How a server fails in the middle of an answer. */
const FAILURES = {
  /** The connection breaks off. */
  reset: (socket: Socket) => socket.resetAndDestroy(),
  /** It closes as if that were all. */
  closed: (socket: Socket) => socket.end(),
} as const;

/** The host's network fails in all the ways it can; the guest sees what a real network would show, and goes on. */
export function failureTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)}: the network of the host fails`,
    set,
    run: async (context) => {
      const servers = new FailingServers();
      try {
        const ports = await servers.listen();
        const plan = failurePlan(ports);
        const options = {
          network: true,
          hostTime: true,
          resolvers: [{ host: '127.0.0.1', port: ports.silent }],
        };
        const { shown } = await runPlan(context, configuration, plan, options);
        const { report } = context;
        const expectFailure = (name: string, clause: string, expected: RegExp): void => {
          const found = shown.get(name);
          const fails = found !== undefined && found.exitCode !== 0 && expected.test(found.text);
          report.check(clause, fails, `exit code ${found?.exitCode}: ${found?.text}`);
        };
        expectFailure('refused', 'a closed port refuses: ECONNREFUSED', /Connection refused/);
        expectFailure('reset', 'a server that breaks off resets: ECONNRESET', /Connection reset by peer/);
        expectFailure('closed', 'a server that closes early ends the data', /closed prematurely|short|EOF/i);
        expectFailure('upload', 'a server that breaks off ends an upload', /reset by peer|Broken pipe/i);
        expectFailure('gone', 'a server that is gone refuses', /Connection refused/);
        expectFailure('silent', 'a silent name server: the resolver gives up', /timed out/);
        expectFailure(
          'closed-datagram-port',
          'a closed port of UDP refuses: RFC 1122 4.1.3.1',
          /Connection refused/,
        );
        expectFailure('name', 'a name that nobody resolves is a bad address', /bad address/);
        expectFailure('nobody', 'an address of nobody: EHOSTUNREACH', /No route to host|Host is unreachable/);
        const ping = shown.get('nobody-ping')?.text ?? '';
        report.check('ping says so too', /Destination Host Unreachable/.test(ping), ping);
        const given = shown.get('given')?.text ?? '';
        report.check('what came before a close is there', Number(given) === GIVEN, given);
        report.check('the silent name server was asked', servers.questions > 0, `${servers.questions} times`);
      } finally {
        servers.close();
      }
    },
  };
}

function failurePlan(ports: Ports): string {
  return `
modprobe e1000
check dhcp dhcp eth0
get() { wget -T 30 -O /run/got http://$1/file; }
show refused get ${GATEWAY}:${ports.free}
show reset get ${GATEWAY}:${ports.reset}
show closed get ${GATEWAY}:${ports.closed}
show given wc -c < /run/got
upload() { dd if=/dev/zero bs=64k count=64 2> /dev/null | nc ${GATEWAY} ${ports.upload}; }
show upload upload
show gone get ${GATEWAY}:${ports.upload}
show silent nslookup host.test
show name get host.test
show closed-datagram-port nslookup -port=${ports.freeDatagram} host.test ${GATEWAY}
show nobody get ${NOBODY}
show nobody-ping /usr/bin/ping -c 2 -W 5 ${NOBODY}
check ping-after /usr/bin/ping -c 3 -W 3 ${GATEWAY}
check transfer-after get ${GATEWAY}:${ports.sound}
finish poweroff -f
`;
}

interface Ports {
  readonly free: number;
  readonly reset: number;
  readonly closed: number;
  readonly upload: number;
  readonly sound: number;
  /** Of UDP. */
  readonly silent: number;
  /** Of UDP, where nobody listens. */
  readonly freeDatagram: number;
}

/** Servers of the host that let their clients down, and one that does not. */
class FailingServers {
  /** Datagrams that the silent name server took. */
  questions = 0;
  readonly #servers: Server[] = [];
  readonly #silent: UdpSocket = createSocket('udp4');

  async listen(): Promise<Ports> {
    this.#silent.on('message', () => this.questions++);
    await new Promise<void>((resolve) => this.#silent.bind(0, '127.0.0.1', resolve));
    const upload = await this.#serve((socket) => {
      let taken = 0;
      socket.on('data', (bytes: Uint8Array) => {
        taken += bytes.length;
        if (taken < GIVEN) return;
        socket.resetAndDestroy();
        upload.close();
      });
    });
    const unused = createSocket('udp4');
    await new Promise<void>((resolve) => unused.bind(0, '127.0.0.1', resolve));
    const freeDatagram = unused.address().port;
    await new Promise<void>((resolve) => unused.close(resolve));
    const free = await this.#serve(() => undefined);
    const port = portOf(free);
    await new Promise((resolve) => free.close(resolve));
    return {
      free: port,
      reset: portOf(await this.#serve((socket) => this.#give(socket, PROMISED, FAILURES.reset))),
      closed: portOf(await this.#serve((socket) => this.#give(socket, PROMISED, FAILURES.closed))),
      upload: portOf(upload),
      sound: portOf(await this.#serve((socket) => this.#give(socket, GIVEN, FAILURES.closed))),
      silent: this.#silent.address().port,
      freeDatagram,
    };
  }

  close(): void {
    this.#silent.close();
    for (const server of this.#servers) server.close();
  }

  /** An answer to whatever is asked, and then. */
  #give(socket: Socket, promised: number, then: (socket: Socket) => void): void {
    socket.once('data', () => {
      socket.write(`HTTP/1.0 200 OK\r\nContent-Length: ${promised}\r\n\r\n`);
      // The guest has taken what it was given before the end comes.
      socket.write(new Uint8Array(GIVEN), () => setTimeout(() => then(socket), 500));
    });
  }

  async #serve(answer: (socket: Socket) => void): Promise<Server> {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      answer(socket);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
