import {
  buildTopology,
  checkTopology,
  costsOf,
  networkExits,
  runTopology,
  TopologyError,
  type Built,
} from '@vmloom/topology';
import { HypervisorError } from '@vmloom/hypervisor';
import { MachineError, type Machine } from '@vmloom/machine';
import { CliError } from '../error.js';
import { table } from '../run/info.js';
import { loadUserFile } from './user-file.js';

/** What a person wrote wrong ends with this. */
const IMPOSSIBLE = 2;

/**
 * `vmloom topology FILE`: runs what the file's default export describes, shows the consoles, then what each packet
 * cost. @throws CliError with status 2 when the topology is impossible
 */
export async function topologyCommand(argv: readonly string[], out: NodeJS.WriteStream): Promise<number> {
  const [file] = argv;
  if (file === undefined || argv.length > 1) {
    throw new CliError('vmloom topology takes one file, which exports a topology as its default', IMPOSSIBLE);
  }
  const built = await impossible(async () => buildTopology(checkTopology(await loadUserFile(file))));
  for (const { machine } of built.vms) show(machine, out);
  await runTopology(built);
  out.write(`\n${report(built)}\n`);
  const failed = built.vms.find(({ machine }) => machine.exit?.reason !== 'power-off');
  if (failed === undefined) return 0;
  throw new CliError(`${failed.name} ended with ${failed.machine.exit?.reason ?? 'nothing'}`, 1);
}

/** Errors of what was described, as such. */
async function impossible<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    const known =
      error instanceof TopologyError || error instanceof HypervisorError || error instanceof MachineError;
    if (known) throw new CliError(error.message, IMPOSSIBLE);
    throw error;
  }
}

function show({ name, console }: Machine, out: NodeJS.WriteStream): void {
  const decoder = new TextDecoder();
  let line = '';
  console.onOutput = (bytes) => {
    line += decoder.decode(bytes, { stream: true });
    const lines = line.split('\n');
    line = lines.pop() ?? '';
    for (const one of lines) out.write(`${name.padEnd(8)}| ${one.trimEnd()}\n`);
  };
}

function report({ world, vms }: Built): string {
  const head = [
    'machine',
    'structure',
    'sent',
    'received',
    'exits',
    'doorbells',
    'injected',
    'copies',
    'guest us',
    'vmm us',
  ];
  const rows = vms.map((vm) => {
    const costs = costsOf(world.ledger, vm);
    const { sent, received, doorbells, injected, copies, guestTime, vmmTime } = costs;
    const times = [guestTime, vmmTime].map((time) => (time / 1000).toFixed(0));
    const counts = [sent, received, networkExits(costs), doorbells, injected, copies].map(String);
    return [vm.name, vm.nics.map(({ structure }) => structure).join(', '), ...counts, ...times];
  });
  return table(head, rows, [2, 3, 4, 5, 6, 7, 8, 9]);
}
