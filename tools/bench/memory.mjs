import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { VMLOOM } from './processes.mjs';

const SIZES = [128, 512, 1024];
const MIB = 1024;
const ALLOWANCE = 200;

/** Peak resident size of a process whose guest has written all its RAM, against RAM + 200 MiB. Linux only. */
export async function memory() {
  for (const size of SIZES) {
    const append = 'n=20';
    const args = [
      '-m',
      String(size),
      '-serial',
      'none',
      '-kernel',
      'packages/guest/prebuilt/intloop.elf',
      '-append',
      append,
    ];
    const peak = await peakOf([...args, '-initrd', 'package-lock.json']);
    const limit = size + ALLOWANCE;
    console.log(
      `${size} MiB guest: peak ${peak.toFixed(0)} MiB resident, ${peak < limit ? 'under' : 'OVER'} ${limit} MiB`,
    );
  }
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
