import { createMachine, World, type Machine, type WorldOptions } from '@vmloom/machine';
import { Switch } from '@vmloom/net';
import type { BootResult } from './boot.js';
import { E1000_NIC, type Nic } from './nics.js';
import { readTranscript } from './transcript.js';

/** Two machines of one kernel, told apart by what their initial RAM disks have them do. */
export interface PairOptions {
  readonly kernel: Uint8Array;
  readonly initrds: readonly [Uint8Array, Uint8Array];
  /** Kernel command line of both. */
  readonly append: string;
  /** Of each; an e1000 unless told. */
  readonly nic?: Nic;
  /** Of each; 128 MiB unless told. */
  readonly memory?: string;
  /** `realtime` where rates are measured: the guests' clocks follow the wall's. `virtual` unless told. */
  readonly time?: WorldOptions['time'];
  /** Seconds of wall time after which it is hopeless; 300 unless told. */
  readonly patience?: number;
  /** Told of what the first one prints, when it does. */
  readonly onText?: (text: string) => void;
}

/** Addresses of the two, first and second. */
export const PAIR_STATIONS = ['52:54:00:76:6d:0a', '52:54:00:76:6d:0b'] as const;

const NAMES = ['first', 'second'] as const;
/** As for one machine: two that wait for nothing have gone wrong. */
const VIRTUAL_PATIENCE = 3600e9;

/**
 * Boots two machines with a NIC each on one switch, in one process on one clock, until both have ended or
 * patience has.
 */
export async function bootPair(options: PairOptions): Promise<readonly [BootResult, BootResult]> {
  const began = performance.now();
  const world = new World({ time: options.time ?? 'virtual' });
  const { clock, ledger } = world;
  const lan = world.add(new Switch({ clock, ledger }));
  const machines = await Promise.all(
    NAMES.map((name, index) =>
      createMachine({
        name,
        world,
        kernel: options.kernel,
        initrd: options.initrds[index],
        bootArguments: options.append,
        memory: options.memory ?? '128MiB',
        onReset: 'end',
      }),
    ),
  );
  const nic = options.nic ?? E1000_NIC;
  const logs = machines.map((machine, index) => {
    machine.pcie.plug(nic.make(lan.port(), PAIR_STATIONS[index]));
    return consoleLog(machine, index === 0 ? options.onText : undefined);
  });
  for (const machine of machines) machine.powerOn();
  void Promise.all(machines.map(({ exited }) => exited)).then(() => world.stop());
  const timer = setTimeout(() => world.stop(), (options.patience ?? 300) * 1000);
  try {
    await world.run({ until: VIRTUAL_PATIENCE });
  } finally {
    clearTimeout(timer);
  }
  const seconds = (performance.now() - began) / 1000;
  const result = (index: 0 | 1): BootResult => {
    const { exit, retired: instructions } = machines[index];
    const log = logs[index]();
    return { ...readTranscript(log), log, exit, seconds, instructions };
  };
  return [result(0), result(1)];
}

/** Collects what a console prints; the answer is all of it so far. */
function consoleLog({ console }: Machine, onText?: (text: string) => void): () => string {
  const pieces: string[] = [];
  const decoder = new TextDecoder();
  console.onOutput = (bytes) => {
    const text = decoder.decode(bytes, { stream: true });
    pieces.push(text);
    onText?.(text);
  };
  return () => pieces.join('');
}
