import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asm } from '@vmloom/riscv/testing';
import { growth } from './figures.mjs';
import { VMLOOM } from './processes.mjs';
import { Table } from './table.mjs';

const SIZES = [128, 512, 1024];
const MIB = 1024;
const ALLOWANCE = 200;
const FINISHER = 0x10_0000;
const FINISH_PASS = 0x5555;

const BENCH = 'packages/guest/prebuilt/bench.elf';
/** Repetitions of each new function: enough to be found hot, few enough that there are many functions. */
const LOOPS = 300;
const FUNCTIONS_OF_A_UNIT = 16;
/** What compiled code and its tables may take unless told, MiB. */
const COMPILED = 256;
const FLAT = 1.05;

/** Resident size of processes with a guest. Linux only. */
export async function memory({ seconds }) {
  return [await memoryOfGuests(), await memoryOfCode(seconds)];
}

/** Peaks while a guest has written to every page of its RAM, against RAM + 200 MiB. */
async function memoryOfGuests() {
  const titles = ['guest', 'peak MiB', 'limit MiB', ''];
  const table = new Table(
    'Resident size of a process with a guest that uses all its RAM',
    titles.map((title) => ({ title })),
  );
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  for (const size of SIZES) {
    const program = join(folder, `touch-${size}`);
    writeFileSync(program, touchAll(size));
    const args = ['-m', String(size), '-serial', 'none', '-bios', 'none', '-kernel', program];
    const peak = Math.max(...(await watched(args, 5)).map((one) => one.peak));
    const limit = size + ALLOWANCE;
    table.row([`${size} MiB`, peak.toFixed(0), String(limit), peak < limit ? 'under' : 'OVER']);
  }
  rmSync(folder, { recursive: true });
  return table;
}

/**
 * A guest that makes new code without end, under Sv39: whether the size stays flat, and what compiling takes beyond the
 * same guest interpreted.
 */
async function memoryOfCode(seconds) {
  const titles = [
    'code',
    'functions',
    'regions',
    'MiB by estimate',
    'MiB at 1/4',
    'at the end',
    'peak',
    'growth',
    '',
  ];
  const table = new Table(
    `Resident size of a process whose guest makes new code for ${seconds} s`,
    titles.map((title, index) => ({ title, width: index === 0 ? 20 : 6 })),
  );
  const interpreted = await newCode('interpreter', seconds);
  report(table, 'interpreted', interpreted, []);
  const small = await newCode('jit,tb-size=8', seconds);
  report(table, 'quota of 8 MiB', small, [[small.growth < FLAT, 'flat', 'GROWS']]);
  // It grows until the quota is used up; what counts is how far.
  const usual = await newCode('jit', seconds);
  const extra = usual.peak - interpreted.peak;
  const over = `OVER ${COMPILED} MiB: ${extra.toFixed(0)}`;
  report(table, 'the usual quota', usual, [
    [extra < COMPILED, `${extra.toFixed(0)} MiB more than interpreted`, over],
  ]);
  return table;
}

function report(table, name, run, verdicts) {
  const sizes = [run.early, run.late, run.peak].map((size) => size.toFixed(0));
  const words = verdicts.map(([good, yes, no]) => (good ? yes : no));
  const used = run.jit === undefined ? '' : (run.jit.residentBytes / MIB ** 2).toFixed(0);
  const counts = [run.functions, run.jit?.regions ?? 0, used].map(String);
  table.row([name, ...counts, ...sizes, run.growth.toFixed(2), words.join(', ')]);
  table.curve(name, 'resident MiB', run.curve);
}

async function newCode(accelerator, seconds) {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  try {
    const [cost, console_] = ['cost.json', 'console'].map((name) => join(folder, name));
    const append = `kernel=newcode sv39=1 loops=${LOOPS} seconds=${seconds}`;
    const outputs = ['-serial', `file:${console_}`, '-statistics', cost];
    const samples = await watched(
      ['-accel', accelerator, '-kernel', BENCH, '-append', append, ...outputs],
      250,
    );
    const units = /seconds=(\d+)/.exec(readFileSync(console_, 'utf8'))?.[1];
    if (units === undefined) throw new Error('the guest that makes code did not come to its end');
    const sizes = samples.map(({ resident }) => resident);
    return {
      functions: Number(units) * FUNCTIONS_OF_A_UNIT,
      early: sizes[Math.floor(sizes.length / 4)],
      late: sizes.at(-1),
      peak: Math.max(...samples.map(({ peak }) => peak)),
      growth: growth(sizes),
      curve: samples.map(({ at, resident }) => [at, resident]),
      jit: JSON.parse(readFileSync(cost, 'utf8')).jit,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
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

/** Runs vmloom to its end: its resident size and the most so far, in MiB, every so many milliseconds. */
async function watched(args, interval) {
  const [command, ...before] = VMLOOM;
  const child = spawn(command, [...before, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const samples = [];
  const began = performance.now();
  const timer = setInterval(() => {
    const status = readStatus(child.pid);
    const [peak, resident] = ['VmHWM', 'VmRSS'].map((field) => {
      return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? NaN) / MIB;
    });
    if (resident > 0) samples.push({ at: (performance.now() - began) / 1000, peak, resident });
  }, interval);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`vmloom ended with ${code}`);
  return samples;
}

function readStatus(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
