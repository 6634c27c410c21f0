import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asm } from '@vmloom/riscv/testing';
import { VMLOOM } from './processes.mjs';

const SIZES = [128, 512, 1024];
const MIB = 1024;
const ALLOWANCE = 200;
const FINISHER = 0x10_0000;
const FINISH_PASS = 0x5555;

/** Peak resident size of a process whose guest has written to every page of its RAM, against RAM + 200 MiB. Linux only. */
export async function memory() {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  for (const size of SIZES) {
    const program = join(folder, `touch-${size}`);
    writeFileSync(program, touchAll(size));
    const peak = await peakOf(['-m', String(size), '-serial', 'none', '-bios', 'none', '-kernel', program]);
    const limit = size + ALLOWANCE;
    const verdict = peak < limit ? 'under' : 'OVER';
    console.log(`${size} MiB guest: peak ${peak.toFixed(0)} MiB resident, ${verdict} ${limit} MiB`);
  }
  rmSync(folder, { recursive: true });
}

/** A raw program at the start of RAM that stores to every other page of `size` MiB, then ends the machine. */
function touchAll(size) {
  const words = [
    asm.addi('t0', 'zero', 1),
    asm.slli('t0', 't0', 31),
    asm.addi('t1', 'zero', size),
    asm.slli('t1', 't1', 20),
    asm.add('t1', 't1', 't0'),
    asm.lui('t2', 1),
    asm.add('t0', 't0', 't2'),
    asm.sd('t2', 0, 't0'),
    asm.add('t0', 't0', 't2'),
    asm.bltu('t0', 't1', -8),
    asm.lui('t3', FINISHER >>> 12),
    asm.lui('t4', FINISH_PASS >>> 12),
    asm.addi('t4', 't4', FINISH_PASS & 0xfff),
    asm.sw('t4', 0, 't3'),
    asm.jal('zero', 0),
  ];
  return Buffer.from(Uint32Array.from(words).buffer);
}

async function peakOf(args) {
  const [command, ...before] = VMLOOM;
  const child = spawn(command, [...before, ...args], { stdio: 'ignore' });
  let peak = 0;
  const timer = setInterval(() => {
    const status = readStatus(child.pid);
    const match = /VmHWM:\s+(\d+) kB/.exec(status);
    if (match !== null) peak = Math.max(peak, Number(match[1]) / MIB);
  }, 5);
  await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  return peak;
}

function readStatus(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
