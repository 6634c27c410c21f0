/**
 * `node packages/riscv/scripts/generate-ops.mjs [--check]` writes the op numbers of the interpreter,
 * `assembly/ops.ts`, from the instruction table. `--check` writes nothing and fails when the file differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const table = fileURLToPath(new URL('../src/instructions.ts', import.meta.url));
const target = new URL('../assembly/ops.ts', import.meta.url);

const { module } = await runnerImport(table, { logLevel: 'silent' });
const text = module.opsSource();
if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (readFileSync(target, 'utf8') !== text) {
  console.error('assembly/ops.ts differs from src/instructions.ts: run scripts/generate-ops.mjs');
  process.exitCode = 1;
}
