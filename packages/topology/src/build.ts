import { bootArgs, guestImage } from '@vmloom/guest';
import { createHost, World, type Host, type VirtualMachine } from '@vmloom/machine';
import { Switch } from '@vmloom/net';
import { checkTopology } from './check.js';
import { STRUCTURES, type Structure, type StructureName } from './structures/index.js';
import type { Topology, VmSpec } from './topology.js';

/** A virtual NIC that was put somewhere. */
export interface BuiltNic {
  readonly structure: StructureName;
  /** Owner of its counters. */
  readonly device: string;
}

export interface BuiltVm {
  readonly name: string;
  readonly machine: VirtualMachine;
  readonly nics: readonly BuiltNic[];
  readonly spec: VmSpec;
}

/** A topology as objects, all machines off. */
export interface Built {
  readonly world: World;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly switches: ReadonlyMap<string, Switch>;
  readonly vms: readonly BuiltVm[];
}

export interface BuildOptions {
  /** Machines with commands come to a prompt when they are over, in place of powering off. False unless told. */
  readonly interactive?: boolean;
}

/** Makes hosts, switches and machines of a topology. @throws TopologyError, and the errors of what it is made of */
export async function buildTopology(value: Topology, options: BuildOptions = {}): Promise<Built> {
  const spec = checkTopology(value);
  const world = new World();
  const { clock, ledger } = world;
  const kernel = await guestImage('tiny');
  const hosts = new Map<string, Host>();
  for (const [name, host] of Object.entries(spec.hosts)) {
    hosts.set(name, await createHost({ name, world, memory: '128MiB', ...host }));
  }
  const switches = new Map<string, Switch>();
  for (const name of Object.keys(spec.switches)) {
    switches.set(name, world.add(new Switch({ name, clock, ledger })));
  }
  let station = 0;
  const vms = Object.entries(spec.vms).map(([name, vm]): BuiltVm => {
    const structures = vm.nics.map((nic): Structure => STRUCTURES[nic.structure]);
    const commands =
      vm.run === undefined
        ? (vm.serve ?? [])
        : options.interactive === true
          ? vm.run
          : [...vm.run, 'poweroff'];
    const extra = [...new Set(structures.flatMap(({ guest }) => guest.bootArguments ?? []))].join(' ');
    const machine = hosts.get(vm.host)!.createVm({
      name,
      kernel,
      bootArguments:
        `${bootArgs({ ip: vm.ip, quiet: true, cmd: ['wait-link', ...commands] })} ${extra}`.trim(),
      native: structures[0]?.native ?? false,
      ...(vm.memory === undefined ? {} : { memory: vm.memory }),
      ...(vm.share === undefined ? {} : { share: vm.share }),
    });
    const nics = vm.nics.map((nic, index): BuiltNic => {
      const { rate, delay, queue } = spec.switches[nic.switch] ?? {};
      const link = {
        ...(rate === undefined ? {} : { rate }),
        ...(delay === undefined ? {} : { delay }),
        ...(queue === undefined ? {} : { queueFrames: queue }),
      };
      const wire = switches.get(nic.switch)!.port({ name: `${nic.switch}.${name}-${index}`, link });
      const mac = nic.mac ?? stationAddress(station++);
      return {
        structure: nic.structure,
        device: structures[index].attach({ vm: machine, wire, mac, index }),
      };
    });
    return { name, machine, nics, spec: vm };
  });
  return { world, hosts, switches, vms };
}

const stationAddress = (index: number): string => {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `52:54:00:6c:${hex(index >> 8)}:${hex(index & 0xff)}`;
};
