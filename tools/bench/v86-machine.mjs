/** A PC of v86 whose program is the argument's: its serial line on the terminal, until the program has its result. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { V86 } from 'v86';

const image = readFileSync(new URL('../../packages/guest/prebuilt/loops-i386.elf', import.meta.url));
const MIB = 2 ** 20;

const machine = new V86({
  wasm_path: fileURLToPath(new URL('v86.wasm', import.meta.resolve('v86'))),
  memory_size: 32 * MIB,
  vga_memory_size: 2 * MIB,
  disable_keyboard: true,
  disable_mouse: true,
  multiboot: { buffer: new Uint8Array(image).buffer },
  cmdline: process.argv[2],
  autostart: true,
});

let line = '';
machine.add_listener('serial0-output-byte', (byte) => {
  line += String.fromCharCode(byte);
  if (byte !== 10) return;
  process.stdout.write(line, line.startsWith('bench:') ? () => process.exit(0) : undefined);
  line = '';
});
