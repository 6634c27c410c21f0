import { HypervisorError, costPreset } from '@vmloom/hypervisor';
import { NetError, parseMac } from '@vmloom/net';
import { TopologyError } from './error.js';
import { STRUCTURES, type Structure } from './structures/index.js';
import type { Topology } from './topology.js';

type Entry = Readonly<Record<string, unknown>>;

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const ADDRESS = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/;

/** The topology that a file gave. @throws TopologyError with a sentence on the first thing that cannot be */
export function checkTopology(value: unknown): Topology {
  const spec = entryOf(value, 'a topology');
  for (const name of Object.keys(spec)) {
    if (!['hosts', 'switches', 'vms'].includes(name)) {
      throw wrong(`a topology has hosts, switches and vms, not ${name}`);
    }
  }
  const hosts = groupOf(spec, 'hosts', ['memory', 'harts', 'preset']);
  const switches = groupOf(spec, 'switches', ['rate', 'delay', 'queue']);
  const vms = groupOf(spec, 'vms', ['host', 'ip', 'memory', 'nics', 'run', 'serve', 'share']);
  if (Object.keys(vms).length === 0) throw wrong('a topology without a virtual machine does nothing');
  const all = [hosts, switches, vms].flatMap((group) => Object.keys(group));
  const twice = all.find((name, index) => all.indexOf(name) !== index);
  if (twice !== undefined) throw wrong(`two parts are called ${twice}; each needs a name of its own`);
  for (const [name, host] of Object.entries(hosts)) checkHost(name, host);
  for (const [name, lan] of Object.entries(switches)) checkSwitch(name, lan);
  const addresses = new Map<string, string>();
  const sideCores = new Map<string, number>();
  for (const [name, vm] of Object.entries(vms)) {
    const { host, ip } = vm;
    if (typeof host !== 'string' || !Object.hasOwn(hosts, host)) {
      throw wrong(`${name} is on host ${text(host)}, which is not there${known(hosts)}`);
    }
    if (!isAddress(ip)) throw wrong(`${name} has the address ${text(ip)}; one like 10.0.0.1/24 is needed`);
    const plain = ip.replace(/\/.*/, '');
    const other = addresses.get(plain);
    if (other !== undefined) throw wrong(`${other} and ${name} have the same address ${plain}`);
    addresses.set(plain, name);
    for (const structure of checkNics(name, vm, switches)) {
      if (structure.sideCores !== undefined) sideCores.set(host, structure.sideCores);
    }
    checkCommands(name, vm);
  }
  for (const [host, cores] of sideCores) {
    const harts = (hosts[host]?.['harts'] ?? 1) as number;
    if (harts <= cores)
      throw wrong(`${host} has ${harts} hart, and the side core takes it; give it 2 or more`);
  }
  if (!Object.values(vms).some((vm) => vm['run'] !== undefined)) {
    throw wrong('no virtual machine has commands to run, so the topology would never end');
  }
  return value as Topology;
}

function checkHost(name: string, { harts, preset }: Entry): void {
  if (
    harts !== undefined &&
    !(Number.isInteger(harts) && (harts as number) >= 1 && (harts as number) <= 64)
  ) {
    throw wrong(`${name} has ${text(harts)} harts; 1 to 64 are possible`);
  }
  if (preset === undefined) return;
  try {
    costPreset(preset as string);
  } catch (error) {
    if (error instanceof HypervisorError) throw wrong(`${name}: ${error.message}`);
    throw wrong(`${name}: a preset is a name or a table of costs, not ${text(preset)}`);
  }
}

function checkSwitch(name: string, { rate, delay, queue }: Entry): void {
  if (queue !== undefined && !(Number.isInteger(queue) && (queue as number) > 0)) {
    throw wrong(`the queue of ${name} is ${text(queue)}; a number of frames above 0 is needed`);
  }
  if (rate !== undefined && !(typeof rate === 'number' && rate > 0)) {
    throw wrong(`the rate of ${name} is ${text(rate)}; bits per second above 0 are needed`);
  }
  if (delay !== undefined && !(typeof delay === 'number' && delay >= 0 && Number.isFinite(delay))) {
    throw wrong(`the delay of ${name} is ${text(delay)}; nanoseconds, 0 or more, are needed`);
  }
}

function checkNics(name: string, { nics }: Entry, switches: Entry): Structure[] {
  if (!Array.isArray(nics) || nics.length < 1 || nics.length > 8) throw wrong(`${name} needs 1 to 8 NICs`);
  const structures = (nics as unknown[]).map((value): Structure => {
    const nic = entryOf(value, `a NIC of ${name}`);
    const { structure, mac } = nic;
    if (typeof structure !== 'string' || !Object.hasOwn(STRUCTURES, structure)) {
      throw new TopologyError(
        'unknown-structure',
        `${name} has a NIC of the structure ${text(structure)}${known(STRUCTURES)}`,
      );
    }
    const lan = nic['switch'];
    if (typeof lan !== 'string' || !Object.hasOwn(switches, lan)) {
      throw wrong(`a NIC of ${name} is on switch ${text(lan)}, which is not there${known(switches)}`);
    }
    if (mac !== undefined) checkMac(name, mac);
    return STRUCTURES[structure as keyof typeof STRUCTURES];
  });
  if (new Set(structures.map(({ native }) => native === true)).size > 1) {
    throw wrong(`${name} is either native or a virtual machine; its NICs say both`);
  }
  return structures;
}

function checkMac(name: string, mac: unknown): void {
  try {
    if (typeof mac !== 'string') throw new NetError('bad-address', `${text(mac)} is no station address`);
    if ((parseMac(mac)[0] & 1) !== 0) throw new NetError('bad-address', `${mac} is a group's address`);
  } catch (error) {
    if (error instanceof NetError) throw wrong(`a NIC of ${name}: ${error.message}`);
    throw error;
  }
}

function checkCommands(name: string, { run, serve }: Entry): void {
  if (run !== undefined && serve !== undefined) throw wrong(`${name} either runs or serves, not both`);
  for (const commands of [run, serve]) {
    if (commands === undefined) continue;
    if (!Array.isArray(commands) || !commands.every((one) => typeof one === 'string')) {
      throw wrong(`the commands of ${name} are a list of texts`);
    }
  }
}

function groupOf(spec: Entry, group: string, fields: readonly string[]): Readonly<Record<string, Entry>> {
  const found = entryOf(spec[group], `the ${group} of a topology`) as Readonly<Record<string, Entry>>;
  for (const [name, entry] of Object.entries(found)) {
    if (!NAME.test(name)) {
      throw wrong(`${name} is no name: a small letter, then up to 31 small letters, digits and hyphens`);
    }
    for (const field of Object.keys(entryOf(entry, name))) {
      if (!fields.includes(field)) throw wrong(`${name} has ${field}; it takes ${fields.join(', ')}`);
    }
  }
  return found;
}

function entryOf(value: unknown, what: string): Entry {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Entry;
  throw wrong(`${what} is a table of named values, not ${text(value)}`);
}

function isAddress(value: unknown): value is string {
  const match = typeof value === 'string' ? ADDRESS.exec(value) : null;
  if (match === null) return false;
  const bits = match[5] === undefined ? 24 : Number(match[5]);
  return match.slice(1, 5).every((part) => Number(part) <= 255) && bits >= 1 && bits <= 30;
}

const known = (group: object): string => `; there are ${Object.keys(group).join(', ') || 'none'}`;
const text = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
const wrong = (sentence: string): TopologyError => new TopologyError('bad-topology', sentence);
