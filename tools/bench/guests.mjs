import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bootPair,
  debian,
  GuestsError,
  NETWORK_BENCH_MODULES,
  NETWORK_BENCH_PROGRAMS,
  networkPlanOfOne,
  networkPlans,
  networkRates,
  PAIR_STATIONS,
  readTranscript,
  withPlan,
} from '@vmloom/guests';
import { median, qemuVersion, QEMU } from './processes.mjs';

const SERIES = '6.12';
const MEMORY = 256;
const APPEND = 'console=ttyS0';
const PLAN = { seconds: 4, rounds: 3, station: PAIR_STATIONS[1] };
const PATIENCE = 400;
const COLUMNS = [
  ['tcpOut', 'TCP out Mb/s'],
  ['tcpIn', 'TCP in Mb/s'],
  ['udp', 'UDP 18 B kpps'],
  ['pktgenSent', 'pktgen sent kpps'],
  ['pktgenTaken', 'pktgen taken kpps'],
];

/**
 * Rates between two Debian guests with an e1000 each, on vmloom and on QEMU with the same kernel, initial RAM
 * disk and plan. The guests' clocks follow the wall's, so their own figures are wall-clock rates.
 */
export async function guests() {
  const built = fetched();
  if (built === undefined) return;
  const { kernel, root, release } = built;
  const initrds = networkPlans(PLAN).map((plan) => withPlan(root, plan));
  const { seconds, rounds } = PLAN;
  console.log(`Linux ${release}; medians of ${rounds} runs of ${seconds} s (least to most)`);
  console.log(['', ...COLUMNS.map(([, title]) => title)].map(column).join(''));

  const memory = `${MEMORY}MiB`;
  const options = { kernel, initrds, append: APPEND, memory, time: 'realtime', patience: PATIENCE };
  const [measuring] = await bootPair(options);
  row('vmloom, one process', measuring);

  const version = qemuVersion();
  if (version === undefined) return console.log('QEMU is not installed: no rows of it');
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  const file = (name, bytes) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  try {
    const image = file('kernel', kernel);
    const [first, second] = initrds.map((bytes, index) => file(`initrd-${index}`, bytes));
    const port = await freePort();
    const socket = (verb) => ['-netdev', `socket,id=a,${verb}=127.0.0.1:${port}`];
    const serving = qemu(image, second, [...socket('listen'), ...nic('a', 1)]);
    // The one that connects needs the other's socket.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const [log] = await Promise.all([qemu(image, first, [...socket('connect'), ...nic('a', 0)]), serving]);
    row('QEMU, two processes', readTranscript(log));

    const hub = ['a', 'b'].flatMap((id) => ['-netdev', `hubport,id=${id},hubid=0`]);
    const one = file('initrd-one', withPlan(root, networkPlanOfOne(PLAN)));
    row('QEMU, one hub', readTranscript(await qemu(image, one, [...hub, ...nic('a', 0), ...nic('b', 1)])));
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(version);
}

/** Nothing, with a sentence, on a machine that cannot fetch guests. */
function fetched() {
  try {
    return debian(SERIES, { programs: NETWORK_BENCH_PROGRAMS, modules: NETWORK_BENCH_MODULES });
  } catch (error) {
    if (!(error instanceof GuestsError)) throw error;
    console.log(`left out. ${error.message}`);
    return undefined;
  }
}

function row(name, transcript) {
  let rates;
  try {
    rates = networkRates(transcript, PLAN.rounds);
  } catch (error) {
    return console.log(`${column(name)} no figures: ${error.message}`);
  }
  const cells = COLUMNS.map(([key]) => {
    const values = rates[key];
    const digits = median(values) < 10 ? 1 : 0;
    const [least, middle, most] = [Math.min(...values), median(values), Math.max(...values)];
    return `${middle.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`;
  });
  console.log([name, ...cells].map(column).join(''));
}

const column = (text) => text.padEnd(22);

/** Without its boot ROM, which not every installation of QEMU has. */
const nic = (id, index) => ['-device', `e1000,romfile=,netdev=${id},mac=${PAIR_STATIONS[index]}`];

/** The console of a QEMU that ran to its end. */
function qemu(kernel, initrd, network) {
  const args = ['-M', 'virt', '-m', String(MEMORY), '-nographic', '-kernel', kernel, '-initrd', initrd];
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', 'pipe', 'inherit'];
    const child = spawn(QEMU[0], [...args, '-append', APPEND, ...network], { stdio });
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE * 1000);
    let log = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (log += text));
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve(log);
    });
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
