import type { Machine } from '@vmloom/machine';
import type { JitStatistics } from '@vmloom/riscv';
import { writeFile } from 'node:fs/promises';
import { CliError } from '../error.js';

/** What a run cost. */
export interface RunStatistics {
  /** Retired by all harts. */
  readonly instructions: number;
  /** Wall time of the process. */
  readonly seconds: number;
  /** Time that its threads were on a processor. */
  readonly processorSeconds: number;
  /** What the compiler did; not there when all was interpreted. */
  readonly jit?: JitStatistics;
}

export function runStatistics(machine: Machine): RunStatistics {
  const { user, system } = process.cpuUsage();
  const jit = machine.harts[0].core.jit?.statistics;
  return {
    instructions: machine.retired,
    seconds: process.uptime(),
    processorSeconds: (user + system) / 1e6,
    ...(jit === undefined ? {} : { jit }),
  };
}

/** @throws CliError when the file cannot be written */
export async function writeStatistics(path: string, machine: Machine): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(runStatistics(machine), undefined, 2)}\n`);
  } catch (cause) {
    throw new CliError(`the statistics cannot be written to ${path}: ${(cause as Error).message}`);
  }
}
