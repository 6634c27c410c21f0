import { OutsidePort, type FrameTransport } from '@vmloom/net';
import { HostDatagram, HostStream, type StreamAddress } from '@vmloom/net/node';
import type { World } from '@vmloom/machine';
import { CliError } from '../error.js';
import { parseCount, type Properties } from '../options/properties.js';
import type { Backend, NetworkContext } from './backend.js';

/** `-netdev stream`: frames with a length before each, over TCP or a UNIX socket. */
export function streamNetwork({ world }: NetworkContext, id: string, properties: Properties): Backend {
  const address = socketAddress(properties, 'addr');
  const server = properties.flag('server', false);
  const seconds = properties.optional('reconnect');
  const milliseconds = properties.optional('reconnect-ms');
  const where = `${properties.where}: reconnect`;
  const reconnect =
    milliseconds === undefined
      ? parseCount(seconds ?? '0', where, { most: 86_400 }) * 1000
      : parseCount(milliseconds, where, { most: 86_400_000 });
  const stream = new HostStream({ address, server, ...(reconnect > 0 ? { reconnect } : {}) });
  return peer(world, id, stream, `stream,server=${server ? 'on' : 'off'},${shown(address)}`, () =>
    server ? stream.ready() : Promise.resolve(),
  );
}

/** `-netdev socket`: the same framing in the older spelling, or datagrams with `udp=`. */
export function socketNetwork({ world }: NetworkContext, id: string, properties: Properties): Backend {
  const listen = properties.optional('listen');
  const connect = properties.optional('connect');
  const udp = properties.optional('udp');
  const local = properties.optional('localaddr');
  const given = [listen, connect, udp].filter((value) => value !== undefined);
  if (given.length !== 1) throw new CliError(`${properties.where} needs one of listen=, connect= or udp=`);
  if (udp !== undefined) {
    if (local === undefined) throw new CliError(`${properties.where}: udp= needs localaddr=`);
    const remote = hostPort(udp, properties);
    const datagram = new HostDatagram({ local: hostPort(local, properties), remote });
    return peer(world, id, datagram, `socket,udp=${udp}`, () => datagram.ready());
  }
  const address = hostPort(listen ?? connect!, properties);
  const stream = new HostStream({ address, server: listen !== undefined });
  const text = listen === undefined ? `socket,connect=${connect}` : `socket,listen=${listen}`;
  return peer(world, id, stream, text, () => (listen === undefined ? Promise.resolve() : stream.ready()));
}

/** `-netdev dgram`: one frame in each UDP datagram. */
export function dgramNetwork({ world }: NetworkContext, id: string, properties: Properties): Backend {
  const remote = inetAddress(properties, 'remote');
  const local =
    properties.optional('local.type') === undefined ? undefined : inetAddress(properties, 'local');
  const datagram = new HostDatagram({ remote, ...(local === undefined ? {} : { local }) });
  return peer(world, id, datagram, `dgram,remote=${shown(remote)}`, () => datagram.ready());
}

function peer(
  world: World,
  id: string,
  transport: FrameTransport,
  description: string,
  ready: () => Promise<unknown>,
): Backend {
  const { clock, ledger, outside } = world;
  const port = new OutsidePort({ name: `net.${id}`, clock, io: outside, ledger, transport });
  world.add(port);
  const detach = outside.attachSource();
  return {
    port: port.port,
    describe: () => `${description},peer=${port.link.up ? 'connected' : 'absent'}`,
    setLink: (up) => (port.enabled = up),
    ready: async () => {
      await ready();
    },
    close: () => {
      detach();
      port.close();
    },
  };
}

function socketAddress(properties: Properties, prefix: string): StreamAddress {
  const type = properties.choice(`${prefix}.type`, ['inet', 'unix'], 'inet');
  if (type === 'unix') return { path: properties.required(`${prefix}.path`) };
  const host = properties.optional(`${prefix}.host`) ?? '127.0.0.1';
  properties.required(`${prefix}.port`);
  return { host, port: properties.number(`${prefix}.port`, 0, { most: 65_535 }) };
}

/** Node has no UNIX datagram sockets, so a datagram's address is an internet one. */
function inetAddress(properties: Properties, prefix: string): { host: string; port: number } {
  properties.choice(`${prefix}.type`, ['inet'], 'inet');
  const host = properties.optional(`${prefix}.host`) ?? '127.0.0.1';
  properties.required(`${prefix}.port`);
  return { host, port: properties.number(`${prefix}.port`, 0, { most: 65_535 }) };
}

function hostPort(text: string, properties: Properties): { host: string; port: number } {
  const at = text.lastIndexOf(':');
  if (at < 0) throw new CliError(`${properties.where}: "${text}" is no HOST:PORT`);
  const host = text.slice(0, at);
  return {
    host: host === '' ? '127.0.0.1' : host,
    port: parseCount(text.slice(at + 1), `${properties.where}: the port`, { most: 65_535 }),
  };
}

function shown(address: StreamAddress): string {
  return 'path' in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
}
