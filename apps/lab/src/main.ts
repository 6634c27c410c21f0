import { HypervisorError } from '@vmloom/hypervisor';
import { STRUCTURES, type StructureName } from '@vmloom/topology';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runLab } from './lab.js';
import { csvReport, htmlReport, jsonReport, textReport } from './report.js';

const REPORT = 'vmloom-lab';
const HELP = `vmloom lab: network structures side by side, on one workload and one ledger

  --full               more sizes and packets
  --preset NAME        arm-board (unless told) or kvm-x86
  --structure NAME     only this one; may be given again
  --out NAME           name of the reports without their endings (${REPORT})`;

/** The command line; the exit status: 2 for a mistake in what was asked. A published shape that fails is a result. */
export async function main(argv: readonly string[], out: NodeJS.WriteStream): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        full: { type: 'boolean' },
        help: { type: 'boolean' },
        preset: { type: 'string' },
        structure: { type: 'string', multiple: true },
        out: { type: 'string' },
      },
    }));
  } catch (error) {
    return mistake(out, (error as Error).message);
  }
  if (values.help === true) {
    out.write(`${HELP}\n`);
    return 0;
  }
  const unknown = values.structure?.find((name) => !Object.hasOwn(STRUCTURES, name));
  if (unknown !== undefined) {
    return mistake(out, `there is no structure ${unknown}; there are ${Object.keys(STRUCTURES).join(', ')}`);
  }
  const began = performance.now();
  try {
    const { results, outcomes } = await runLab({
      full: values.full ?? false,
      preset: values.preset ?? 'arm-board',
      ...(values.structure === undefined ? {} : { structures: values.structure as StructureName[] }),
      onProgress: (structure, done, of) => {
        const seconds = ((performance.now() - began) / 1000).toFixed(1);
        out.write(`${String(done).padStart(2)} of ${of}  ${structure.padEnd(28)} ${seconds} s\n`);
      },
    });
    out.write(`\n${textReport(results, outcomes)}\n\n`);
    const name = values.out ?? REPORT;
    writeFileSync(`${name}.html`, htmlReport(results, outcomes));
    writeFileSync(`${name}.json`, jsonReport(results, outcomes));
    writeFileSync(`${name}.csv`, csvReport(results));
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    out.write(
      `${seconds} s in all. The report, drawn: ${resolve(`${name}.html`)}; the same as .json and .csv\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof HypervisorError) return mistake(out, error.message);
    throw error;
  }
}

function mistake(out: NodeJS.WriteStream, sentence: string): 2 {
  out.write(`lab: ${sentence}\n`);
  return 2;
}
