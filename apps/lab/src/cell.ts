import type { CostPreset } from '@vmloom/hypervisor';
import {
  buildTopology,
  costsBetween,
  costsOf,
  networkExits,
  STRUCTURES,
  topology,
  type Built,
  type BuiltVm,
  type Costs,
  type StructureName,
} from '@vmloom/topology';
import { HEADERS, type Latency, type Workload } from './workload.js';

/** One structure under one workload. */
export interface Result {
  readonly structure: StructureName;
  readonly workload: string;
  readonly preset: string;
  readonly packets: number;
  /** Of the machine under test. */
  readonly costs: Costs;
  /** Exits of the machine under test a packet, without those of the serial line. */
  readonly exitsPerPacket: number;
  /** Nanoseconds of the host a packet: the guest's, and what the hypervisor did for it. */
  readonly guestTimePerPacket: number;
  readonly vmmTimePerPacket: number;
  /** Packets a second, and bits of frames. */
  readonly rate: number;
  readonly throughput: number;
  readonly latency?: Latency;
}

/** A gigabit wire of 1 us, whose sender waits when 64 frames do. */
const WIRE = { rate: 1e9, delay: 1000, queue: 64 } as const;
/** Virtual nanoseconds that a boot, and that a workload may take. */
const PATIENCE = 60e9;

/**
 * Boots a machine with a structure and a peer on a host of its own, and runs workloads one after the other. What is
 * counted is between a workload's command and its last line.
 */
export async function measure(
  structure: StructureName,
  workloads: readonly Workload[],
  preset: CostPreset,
): Promise<Result[]> {
  const built = await buildTopology(
    topology({
      hosts: {
        board: { memory: '32MiB', harts: 2, preset },
        // The other end of the wire is never what is waited for.
        station: { memory: '32MiB', harts: 1, preset: 'kvm-x86' },
      },
      switches: { wire: WIRE },
      vms: {
        subject: { host: 'board', ip: '10.0.0.1', nics: [{ structure, switch: 'wire' }], run: [] },
        peer: { host: 'station', ip: '10.0.0.2', nics: [{ structure: 'native', switch: 'wire' }], serve: [] },
      },
    }),
    { interactive: true },
  );
  const { world } = built;
  for (const { machine } of built.vms) machine.powerOn();
  const script = runScript(built, workloads, preset).finally(() => world.stop());
  const [results] = await Promise.all([script, world.run({ until: PATIENCE * (1 + workloads.length) })]);
  for (const { machine } of built.vms) if (machine.state !== 'off') machine.powerOff();
  return results.map((result) => ({ ...result, structure }));
}

async function runScript(
  { world, vms }: Built,
  workloads: readonly Workload[],
  preset: CostPreset,
): Promise<Omit<Result, 'structure'>[]> {
  const [subject, peer] = vms as readonly [BuiltVm, BuiltVm];
  const wait = { timeout: PATIENCE };
  const consoleOf = ({ machine }: BuiltVm) => machine.console;
  await Promise.all([subject, peer].map((vm) => consoleOf(vm).waitFor(/vmloom# /, wait)));
  for (const [vm, other] of [
    [subject, '10.0.0.2'],
    [peer, '10.0.0.1'],
  ] as const) {
    consoleOf(vm).send(`udp-sink; udp-echo; ping -c 1 -t 2000 ${other}\n`);
    await consoleOf(vm).waitFor(/rtt min[^]*?vmloom# /, wait);
  }
  const results: Omit<Result, 'structure'>[] = [];
  for (const workload of workloads) {
    const before = costsOf(world.ledger, subject);
    const by = consoleOf(workload.by === 'subject' ? subject : peer);
    const showing = consoleOf(workload.outcome.by === 'subject' ? subject : peer);
    by.send(`${workload.command}\n`);
    const match = await showing.waitFor(workload.outcome.line, wait);
    await by.waitFor(workload.end, wait);
    const costs = costsBetween(before, costsOf(world.ledger, subject));
    if (workload.by !== workload.outcome.by) await by.waitFor(/vmloom# /, wait);
    results.push(resultOf(workload, match, costs, preset));
  }
  return results;
}

function resultOf(
  workload: Workload,
  match: RegExpExecArray,
  costs: Costs,
  preset: CostPreset,
): Omit<Result, 'structure'> {
  const { packets, time, latency } = workload.read(match);
  const each = (sum: number): number => sum / Math.max(1, packets);
  const rate = time === 0 ? 0 : (packets * 1e9) / time;
  return {
    workload: workload.name,
    preset: preset.name,
    packets,
    costs,
    exitsPerPacket: each(networkExits(costs)),
    guestTimePerPacket: each(costs.guestTime),
    vmmTimePerPacket: each(costs.vmmTime),
    rate,
    throughput: rate * 8 * (workload.size + HEADERS),
    ...(latency === undefined ? {} : { latency }),
  };
}

/** Those that the lab compares, in the order of its tables. */
export const COMPARED = Object.keys(STRUCTURES) as readonly StructureName[];
