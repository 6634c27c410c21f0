import { costPreset, type CostPreset } from '@vmloom/hypervisor';
import type { StructureName } from '@vmloom/topology';
import { COMPARED, measure, type Result } from './cell.js';
import { outcomes, type Outcome } from './expectations.js';
import { FULL, SHORT, type Workload } from './workload.js';

export interface LabOptions {
  /** `arm-board` unless told: the survey asks about weak hosts. */
  readonly preset?: string | CostPreset;
  readonly structures?: readonly StructureName[];
  /** More sizes and more packets. */
  readonly full?: boolean;
  readonly workloads?: readonly Workload[];
  /** Told of each structure that is done. */
  readonly onProgress?: (structure: StructureName, done: number, of: number) => void;
}

export interface LabReport {
  readonly results: readonly Result[];
  /** Of all structures; none where only some were measured. */
  readonly outcomes: readonly Outcome[];
}

/** Measures structures one after the other, each on a host of its own. The same options give the same report. */
export async function runLab(options: LabOptions = {}): Promise<LabReport> {
  const preset = costPreset(options.preset ?? 'arm-board');
  const { structures = COMPARED, workloads = options.full === true ? FULL : SHORT } = options;
  const results: Result[] = [];
  for (const [index, structure] of structures.entries()) {
    results.push(...(await measure(structure, workloads, preset)));
    options.onProgress?.(structure, index + 1, structures.length);
  }
  const whole = structures.length === COMPARED.length && options.workloads === undefined;
  return { results, outcomes: whole ? outcomes(results) : [] };
}
