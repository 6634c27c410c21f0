/**
 * `npm run bench [-- NAME …]` measures and prints ratios against a peer of the same run; never part of the
 * tests. Names: cpu (the interpreter on an integer program, beside QEMU where it is installed), loops (the
 * interpreter's inner loops alone), memory (resident size of a process with a guest), guests (rates between
 * two Debian guests, beside QEMU; fetches them).
 */
import { spawnSync } from 'node:child_process';
import { cpu } from './bench/cpu.mjs';
import { guests } from './bench/guests.mjs';
import { memory } from './bench/memory.mjs';

const loops = () => {
  const { status } = spawnSync(process.execPath, ['packages/riscv/bench/cpu.mjs'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the loops did not run');
};
const BENCHES = { cpu, loops, memory, guests };

const names = process.argv.slice(2);
for (const name of names) {
  if (Object.hasOwn(BENCHES, name)) continue;
  console.error(`bench: there is no ${name}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
for (const name of names.length === 0 ? Object.keys(BENCHES) : names) {
  console.log(`\n# ${name}`);
  await BENCHES[name]();
}
