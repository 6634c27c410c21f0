import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bootPair,
  debian,
  E1000_NIC,
  GuestsError,
  MEASUREMENTS,
  NETWORK_BENCH_MODULES,
  NETWORK_BENCH_PROGRAMS,
  networkPlanOfOne,
  networkPlans,
  networkRates,
  PAIR_STATIONS,
  readTranscript,
  virtioNic,
  withPlan,
} from '@vmloom/guests';
import { chosen } from './options.mjs';
import { median, processorSeconds, qemuVersion, QEMU } from './processes.mjs';
import { shown, Table } from './table.mjs';

const SERIES = '6.12';
const MEMORY = 256;
const APPEND = 'console=ttyS0';
const SECONDS = 4;
/** Rounds before those that count: what is not yet compiled then is no rate of a network. */
const WARM_UP = 1;
const PATIENCE = 900;
const NICS = [
  { name: 'e1000', nic: E1000_NIC },
  { name: 'virtio', nic: virtioNic() },
  { name: 'virtio-packed', nic: virtioNic({ packed: true }) },
];
const COLUMNS = [
  ['tcpOut', 'TCP out Mb/s'],
  ['tcpIn', 'TCP in Mb/s'],
  ['udp', 'UDP 18 B kpps'],
  ['pktgenSent', 'pktgen sent kpps'],
  ['pktgenTaken', 'pktgen taken kpps'],
];

/**
 * Rates between two Debian guests with a NIC each, on vmloom and on QEMU with the same kernel, initial RAM disk and
 * plan. The guests' clocks follow the wall's, so their own figures are wall-clock rates. With `clock` processor each has
 * a second row: the same divided by the processors that all processes of the set-up took meanwhile.
 */
export async function guests({ only, runs, clock }) {
  const built = fetched();
  if (built === undefined) return [];
  const rounds = runs + WARM_UP;
  const clocks = clock === 'processor' ? ['wall', clock] : ['wall'];
  const columns = [{ title: '', width: 38 }, ...COLUMNS.map(([, title]) => ({ title, width: 19 }))];
  const table = new Table(
    `Linux ${built.release}: medians of ${runs} runs of ${SECONDS} s (least to most)`,
    columns,
  );
  const version = qemuVersion();
  for (const { name, nic } of chosen(NICS, only)) {
    const plan = { seconds: SECONDS, rounds, station: PAIR_STATIONS[1], driver: nic.driver };
    const initrds = networkPlans(plan).map((text) => withPlan(built.root, text));
    const judge = (set, run) => measured(table, `${name}: ${set}`, run, { rounds, clocks });
    const our = await judge('vmloom', (meter) => ours({ kernel: built.kernel, initrds, nic }, meter));
    if (version === undefined) continue;
    const one = withPlan(built.root, networkPlanOfOne(plan));
    for (const [set, run] of qemus({ kernel: built.kernel, initrds, one, nic })) {
      const their = await judge(set, run);
      if (our === undefined || their === undefined) continue;
      for (const kind of clocks) {
        const ratio = ([key]) => `${shown(median(our[kind][key]) / median(their[kind][key]))} x`;
        table.row([titled(`  vmloom to ${set}`, kind), ...COLUMNS.map(ratio)]);
      }
    }
  }
  table.note(version ?? 'QEMU is not installed: no rows of it');
  return [table];
}

/** One set-up, as a row by each clock; its rates by clock and column. Undefined, with a sentence, where a kind of measurement never succeeded. */
async function measured(table, name, run, { rounds, clocks }) {
  const meter = new Meter();
  let rates;
  try {
    rates = networkRates(await run(meter), rounds);
  } catch (error) {
    if (!(error instanceof GuestsError)) throw error;
    table.note(`${name}: no figures: ${error.message}`);
    return undefined;
  }
  const counted = {};
  for (const kind of clocks) {
    counted[kind] = {};
    for (const [key] of COLUMNS) {
      const processors = (index) => meter.processors(`${MEASUREMENTS[key]}-${index + 1}`);
      const all = rates[key].map((rate, index) => (kind === 'wall' ? rate : rate / processors(index)));
      counted[kind][key] = all.slice(WARM_UP).filter((rate) => Number.isFinite(rate));
      const failed = all.length - WARM_UP - counted[kind][key].length;
      if (failed > 0) table.note(`${name}: ${failed} runs of ${key} failed`);
    }
    const cells = COLUMNS.map(([key]) => {
      const values = counted[kind][key];
      return `${shown(median(values))} (${shown(Math.min(...values))}-${shown(Math.max(...values))})`;
    });
    table.row([titled(name, kind), ...cells]);
  }
  return counted;
}

const titled = (name, clock) => (clock === 'wall' ? name : `${name}, by processor`);

/** How many processors a set-up took in each of its measurements, by what the measuring guest prints. */
class Meter {
  /** Seconds that all its processes have been on a processor. */
  used = () => 0;
  #begun = new Map();
  #taken = new Map();
  #line = '';

  hear(text) {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop();
    for (const line of lines) {
      const [, verb, name] = /^@@ (begin|end) (\S+)/.exec(line) ?? [];
      const now = { wall: performance.now() / 1000, used: this.used() };
      if (verb === 'begin') this.#begun.set(name, now);
      const begun = this.#begun.get(name);
      if (verb === 'end' && begun !== undefined) {
        this.#taken.set(name, (now.used - begun.used) / (now.wall - begun.wall));
      }
    }
  }

  /** NaN of a measurement that has not been. */
  processors(name) {
    return this.#taken.get(name) ?? NaN;
  }
}

async function ours(parts, meter) {
  meter.used = () => processorSeconds(process.pid);
  const [measuring] = await bootPair({
    ...parts,
    append: APPEND,
    memory: `${MEMORY}MiB`,
    time: 'realtime',
    patience: PATIENCE,
    onText: (text) => meter.hear(text),
  });
  return measuring;
}

/** Two processes on a socket network, and one with two NICs on a hub. */
function qemus({ kernel, initrds, one, nic }) {
  // Without its boot ROM, which not every installation of QEMU has.
  const card = (id, index) => ['-device', `${nic.qemu},romfile=,netdev=${id},mac=${PAIR_STATIONS[index]}`];
  return [
    [
      'two QEMUs',
      (meter) =>
        inFolder(async (file) => {
          const image = file('kernel', kernel);
          const [first, second] = initrds.map((bytes, index) => file(`initrd-${index}`, bytes));
          const port = await freePort();
          const socket = (verb) => ['-netdev', `socket,id=a,${verb}=127.0.0.1:${port}`];
          const serving = qemu(image, second, [...socket('listen'), ...card('a', 1)]);
          // The one that connects needs the other's socket.
          await new Promise((resolve) => setTimeout(resolve, 1000));
          const measuring = qemu(image, first, [...socket('connect'), ...card('a', 0)], meter);
          meter.used = () => processorSeconds(measuring.pid) + processorSeconds(serving.pid);
          const [log] = await Promise.all([measuring.log, serving.log]);
          return readTranscript(log);
        }),
    ],
    [
      'one QEMU, hub',
      (meter) =>
        inFolder(async (file) => {
          const hub = ['a', 'b'].flatMap((id) => ['-netdev', `hubport,id=${id},hubid=0`]);
          const network = [...hub, ...card('a', 0), ...card('b', 1)];
          const running = qemu(file('kernel', kernel), file('initrd', one), network, meter);
          meter.used = () => processorSeconds(running.pid);
          return readTranscript(await running.log);
        }),
    ],
  ];
}

/** Lets `use` write files that are gone when it is done. */
async function inFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  try {
    return await use((name, bytes) => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return path;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Nothing, with a sentence, on a machine that cannot fetch guests. */
function fetched() {
  try {
    return debian(SERIES, {
      programs: NETWORK_BENCH_PROGRAMS,
      modules: [...NETWORK_BENCH_MODULES, 'virtio_net'],
    });
  } catch (error) {
    if (!(error instanceof GuestsError)) throw error;
    console.log(`left out. ${error.message}`);
    return undefined;
  }
}

/** A QEMU with its console; the log is there when it has ended. */
function qemu(kernel, initrd, network, meter) {
  const args = ['-M', 'virt', '-m', String(MEMORY), '-nographic', '-kernel', kernel, '-initrd', initrd];
  const stdio = ['ignore', 'pipe', 'inherit'];
  const child = spawn(QEMU[0], [...args, '-append', APPEND, ...network], { stdio });
  const log = new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE * 1000);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece) => {
      text += piece;
      meter?.hear(piece);
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
  return { pid: child.pid, log };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
