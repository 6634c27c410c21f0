import { E1000 } from '@vmloom/e1000';
import { bootArgs, guestImage } from '@vmloom/guest';
import { createMachine, World, type Machine, type WorldOptions } from '@vmloom/machine';
import { capture, MemorySink, PcapngWriter, Switch, type Port } from '@vmloom/net';
import type { PciFunction } from '@vmloom/pci';

/** Makes the NIC of a guest. */
export type Nic = (options: { readonly port: Port; readonly mac: string }) => PciFunction;

/** Two tiny guests on a switch, every frame captured, with an e1000 each unless told: the same topology each time. */
export interface Lan {
  readonly world: World;
  readonly a: Machine;
  readonly b: Machine;
  readonly frames: MemorySink;
}

export async function lanOf(
  commands: { readonly a: readonly string[]; readonly b: readonly string[] },
  options: WorldOptions = {},
  nics: Partial<Record<'a' | 'b', Nic>> = {},
): Promise<Lan> {
  const world = new World(options);
  const { clock, ledger } = world;
  const lan = world.add(new Switch({ name: 'lan', clock, ledger }));
  const frames = new MemorySink();
  const writer = new PcapngWriter(frames);
  const kernel = await guestImage('tiny');
  const machine = async (name: 'a' | 'b', host: number): Promise<Machine> => {
    const bootArguments = bootArgs({ ip: `10.0.0.${host}/24`, quiet: true, cmd: commands[name] });
    const made = await createMachine({ name, world, kernel, bootArguments, memory: '16MiB' });
    const port = capture(lan.port({ name: `lan.${name}` }), writer, clock, name);
    const nic = nics[name] ?? ((options) => new E1000(options));
    made.pcie.plug(nic({ port, mac: `52:54:00:00:00:0${host}` }));
    return made;
  };
  return { world, a: await machine('a', 1), b: await machine('b', 2), frames };
}
