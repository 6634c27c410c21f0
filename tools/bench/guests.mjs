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
import { median, qemuVersion, QEMU } from './processes.mjs';

const SERIES = '6.12';
const MEMORY = 256;
const APPEND = 'console=ttyS0';
const PLAN = { seconds: 4, rounds: 3, station: PAIR_STATIONS[1] };
const PATIENCE = 400;
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
 * plan. The guests' clocks follow the wall's, so their own figures are wall-clock rates.
 */
export async function guests({ only }) {
  const built = fetched();
  if (built === undefined) return;
  const { seconds, rounds } = PLAN;
  console.log(`Linux ${built.release}; medians of ${rounds} runs of ${seconds} s (least to most)`);
  console.log(['', ...COLUMNS.map(([, title]) => title)].map(column).join(''));
  const version = qemuVersion();
  for (const { name, nic } of chosen(NICS, only)) {
    const plan = { ...PLAN, driver: nic.driver };
    const initrds = networkPlans(plan).map((text) => withPlan(built.root, text));
    await ours(name, { kernel: built.kernel, initrds, nic });
    const one = withPlan(built.root, networkPlanOfOne(plan));
    if (version !== undefined) await qemus(name, { kernel: built.kernel, initrds, one, nic });
  }
  console.log(version ?? 'QEMU is not installed: no rows of it');
}

async function ours(name, parts) {
  const options = { append: APPEND, memory: `${MEMORY}MiB`, time: 'realtime', patience: PATIENCE };
  const [measuring] = await bootPair({ ...parts, ...options });
  row(`${name}: vmloom`, measuring);
}

/** Two processes on a socket network, and one with two NICs on a hub. */
async function qemus(name, { kernel, initrds, one, nic }) {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
  const file = (name, bytes) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  // Without its boot ROM, which not every installation of QEMU has.
  const card = (id, index) => ['-device', `${nic.qemu},romfile=,netdev=${id},mac=${PAIR_STATIONS[index]}`];
  try {
    const image = file('kernel', kernel);
    const [first, second] = initrds.map((bytes, index) => file(`initrd-${index}`, bytes));
    const port = await freePort();
    const socket = (verb) => ['-netdev', `socket,id=a,${verb}=127.0.0.1:${port}`];
    const serving = qemu(image, second, [...socket('listen'), ...card('a', 1)]);
    // The one that connects needs the other's socket.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const [log] = await Promise.all([qemu(image, first, [...socket('connect'), ...card('a', 0)]), serving]);
    row(`${name}: two QEMUs`, readTranscript(log));

    const hub = ['a', 'b'].flatMap((id) => ['-netdev', `hubport,id=${id},hubid=0`]);
    const network = [...hub, ...card('a', 0), ...card('b', 1)];
    row(`${name}: QEMU, one hub`, readTranscript(await qemu(image, file('initrd-one', one), network)));
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

const column = (text) => text.padEnd(26);

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
