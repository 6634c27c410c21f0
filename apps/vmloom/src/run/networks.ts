import { capture, Hub, LinkPort, parseHostForward, PcapngWriter, UserNat, type Port } from '@vmloom/net';
import { FileSink, HostNetwork } from '@vmloom/net/node';
import type { World } from '@vmloom/machine';
import { CliError } from '../error.js';
import type { DumpPlan, NetdevPlan } from '../options/plan.js';
import type { Properties } from '../options/properties.js';
import { didYouMean } from '../suggest.js';
import type { Backend, NetworkContext } from './backend.js';
import { dgramNetwork, socketNetwork, streamNetwork } from './peers.js';

/** What a `-netdev` made: a port for a NIC, and what is behind it. */
export interface Network {
  readonly id: string;
  readonly type: string;
  /** For a NIC; captures already look at it. */
  readonly port: Port;
  /** One line for `info network`. */
  describe(): string;
  setLink(up: boolean): void;
  /** Resolves when sockets are open. */
  ready(): Promise<void>;
  /** What a capture holds back reaches its file. */
  flush(): void;
  close(): void;
}

type Maker = (context: NetworkContext, id: string, properties: Properties) => Backend;

const MAKERS: Readonly<Record<string, Maker>> = {
  user: userNetwork,
  hubport: hubNetwork,
  stream: streamNetwork,
  socket: socketNetwork,
  dgram: dgramNetwork,
};

export const NETWORK_TYPES = Object.keys(MAKERS);

/** Makes the networks of a command line, by their ids. @throws CliError */
export function makeNetworks(
  world: World,
  plans: readonly NetdevPlan[],
  dumps: readonly DumpPlan[],
): Map<string, Network> {
  const context: NetworkContext = { world, hubs: new Map() };
  const networks = new Map<string, Network>();
  const joins: { readonly hub: Hub; readonly id: string }[] = [];
  for (const plan of plans) {
    if (networks.has(plan.id)) throw new CliError(`two networks are called ${plan.id}`);
    const maker = Object.hasOwn(MAKERS, plan.type) ? MAKERS[plan.type] : undefined;
    if (maker === undefined) {
      throw new CliError(`there is no -netdev ${plan.type}${didYouMean(plan.type, NETWORK_TYPES)}`);
    }
    const joined = plan.type === 'hubport' ? plan.properties.optional('netdev') : undefined;
    const backend = maker(context, plan.id, plan.properties);
    plan.properties.done();
    if (joined !== undefined) joins.push({ hub: hubOf(context, plan.properties), id: joined });
    networks.set(plan.id, withCaptures(world, plan, backend, dumps));
  }
  for (const { id } of dumps.map(({ netdev }) => ({ id: netdev }))) find(networks, id);
  for (const { hub, id } of joins) hub.connect(find(networks, id).port);
  return networks;
}

/** The network with an id. @throws CliError naming the nearest */
export function find(networks: ReadonlyMap<string, Network>, id: string): Network {
  const network = networks.get(id);
  if (network === undefined)
    throw new CliError(`no network is called ${id}${didYouMean(id, networks.keys())}`);
  return network;
}

function withCaptures(world: World, plan: NetdevPlan, backend: Backend, dumps: readonly DumpPlan[]): Network {
  const sinks: FileSink[] = [];
  let { port } = backend;
  for (const dump of dumps) {
    if (dump.netdev !== plan.id) continue;
    const sink = new FileSink(dump.file);
    sinks.push(sink);
    port = capture(port, new PcapngWriter(sink, { snapLength: dump.maxLength }), world.clock, plan.id);
  }
  return {
    id: plan.id,
    type: plan.type,
    port,
    describe: () => backend.describe(),
    setLink: (up) => backend.setLink(up),
    ready: () => backend.ready(),
    flush: () => sinks.forEach((sink) => sink.flush()),
    close: () => {
      backend.close();
      for (const sink of sinks) sink.close();
    },
  };
}

/** `-netdev user`: a network behind an address translator. */
function userNetwork({ world }: NetworkContext, id: string, properties: Properties): Backend {
  const outside = new HostNetwork();
  const text = (name: string): string | undefined => properties.optional(name);
  const forwards = properties.all('hostfwd').map(parseHostForward);
  const given = {
    network: text('net'),
    gateway: text('host'),
    dns: text('dns'),
    dhcpStart: text('dhcpstart'),
    hostname: text('hostname'),
    domain: text('domainname'),
  };
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const nat = new UserNat({
    ...options,
    name: `net.${id}`,
    clock: world.clock,
    io: world.outside,
    ledger: world.ledger,
    outside,
    forwards,
    restrict: properties.flag('restrict', false),
  });
  world.add(nat);
  const detach = world.outside.attachSource();
  return {
    port: nat.port,
    describe: () => {
      const rules = forwards.map(
        ({ protocol, hostAddress = '', hostPort, guestAddress = '', guestPort }) =>
          `${protocol}:${hostAddress}:${hostPort}-${guestAddress}:${guestPort}`,
      );
      return ['user', `net=${options['network'] ?? '10.0.2.0/24'}`, ...rules].join(',');
    },
    setLink: (up) => (nat.link.up = up),
    ready: async () => {
      await outside.ready();
    },
    close: () => {
      detach();
      nat.close();
    },
  };
}

/** `-netdev hubport,hubid=N`: a port of a hub that all hubports with that number share. */
function hubNetwork(context: NetworkContext, id: string, properties: Properties): Backend {
  const hub = hubOf(context, properties);
  const port = hub.port({ name: `net.${id}` });
  const number = properties.number('hubid', 0);
  return {
    port,
    describe: () => `hubport,hubid=${number}`,
    setLink: (up) => {
      if (port instanceof LinkPort) port.link.up = up;
    },
    ready: () => Promise.resolve(),
    close: () => undefined,
  };
}

function hubOf({ world, hubs }: NetworkContext, properties: Properties): Hub {
  const number = properties.number('hubid', 0, { most: 1023 });
  let hub = hubs.get(number);
  if (hub === undefined) hubs.set(number, (hub = new Hub({ name: `hub${number}`, ledger: world.ledger })));
  return hub;
}
