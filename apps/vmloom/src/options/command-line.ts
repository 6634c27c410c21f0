import { AIA } from '@vmloom/machine';
import { CliError } from '../error.js';
import { didYouMean } from '../suggest.js';
import type {
  CharacterPlan,
  DevicePlan,
  DumpPlan,
  GdbPlan,
  MonitorPlan,
  NetdevPlan,
  RunPlan,
} from './plan.js';
import { parseBytes, Properties } from './properties.js';
import { drivePlan, entropyPlan, folderPlan, virtfsPlan, type EntropyPlan } from './storage.js';

/** One option as typed: its name without dashes, and its argument. */
export interface TypedOption {
  readonly name: string;
  readonly value: string;
}

interface OptionHelp {
  /** The argument's name; none for a switch. */
  readonly argument?: string;
  readonly help: string;
  readonly alias?: string;
}

const MIB = 2 ** 20;
const MAX_HARTS = 8;

/** Every option of `vmloom run`, in QEMU's spelling. */
export const OPTIONS: Readonly<Record<string, OptionHelp>> = {
  M: {
    argument: 'virt,aia=none|aplic|aplic-imsic,aia-guests=N,iommu-sys=on|off',
    help: 'the board; its interrupts: PLIC, APLIC, or APLIC and IMSICs with N guest files; its IOMMU',
  },
  machine: { argument: 'virt,…', help: 'the same', alias: 'M' },
  cpu: { argument: 'rv64', help: 'the harts: rv64 or max, the same here' },
  accel: {
    argument: 'jit|interpreter,tb-size=N',
    help: 'whether hot code is compiled, in N MiB at most; tcg is jit',
  },
  'cpu-check': { help: 'interpreted beside it, in virtual time: ends at the first difference' },
  smp: { argument: '[cpus=]N', help: 'harts, 1 to 8' },
  m: { argument: '[size=]SIZE', help: 'RAM, in MiB unless the size has a unit' },
  kernel: { argument: 'FILE', help: 'ELF file, Linux Image (plain or gzip) or raw program' },
  initrd: { argument: 'FILE', help: 'initial RAM disk' },
  append: { argument: 'TEXT', help: "the kernel's command line" },
  dtb: { argument: 'FILE', help: "a device tree in place of the board's own" },
  bios: { argument: 'default|none|FILE', help: 'firmware: the built-in SBI, none, or a file run in M-mode' },
  nographic: { help: 'serial line and monitor on the terminal, Ctrl-a is the escape' },
  display: { argument: 'none', help: 'there is no display' },
  serial: { argument: 'stdio|mon:stdio|file:PATH|none', help: 'where the serial line leads' },
  netdev: { argument: 'TYPE,id=ID,…', help: 'a network: user, stream, socket, dgram or hubport' },
  nic: { argument: 'TYPE,model=NAME,…', help: 'a network and the NIC on it in one' },
  device: { argument: 'NAME,…', help: 'a device; `vmloom devices` lists them' },
  drive: {
    argument: 'file=F,if=none,format=raw,id=ID,…',
    help: 'a disk; snapshot=on or overlay=FILE leave the file as it is',
  },
  fsdev: { argument: 'local,id=ID,path=P,security_model=none', help: 'a folder of the host, for virtio-9p' },
  virtfs: {
    argument: 'local,path=P,mount_tag=T,security_model=none',
    help: 'the folder and its device in one',
  },
  object: {
    argument: 'TYPE,id=ID,…',
    help: 'filter-dump: a capture of a network, as pcapng; rng-random, rng-builtin: random bytes',
  },
  global: {
    argument: 'virtio-mmio.force-legacy=false',
    help: 'accepted: virtio-mmio is of version 2 always',
  },
  monitor: { argument: 'unix:PATH,server=on,wait=off|none', help: 'a monitor in QMP form', alias: 'qmp' },
  qmp: { argument: 'unix:PATH,server=on,wait=off', help: 'a monitor in QMP form' },
  snapshot: { help: 'writes to disks are kept in memory and lost at the end' },
  loadvm: { argument: 'FILE', help: 'start from a snapshot that savevm wrote' },
  S: { help: 'do not start before GDB or the monitor says so' },
  gdb: { argument: 'tcp:[HOST]:PORT', help: 'GDB may attach there; HOST is 127.0.0.1 unless told' },
  s: { help: 'the same as -gdb tcp::1234' },
  'no-reboot': { help: 'a reset by the guest ends the process' },
  rtc: { argument: 'base=utc|DATE', help: 'what the real-time clock shows at the start' },
  name: { argument: 'NAME', help: "the machine's name" },
  time: { argument: 'realtime|virtual', help: 'virtual: deterministic, idle time is skipped' },
  statistics: { argument: 'FILE', help: 'what the run cost, as JSON, written when it ends' },
  nodefaults: { help: 'accepted: no default devices exist' },
  'no-user-config': { help: 'accepted: there are no configuration files' },
};

/** Takes the command line apart. @throws CliError naming the nearest option that exists */
export function typedOptions(argv: readonly string[]): TypedOption[] {
  const typed: TypedOption[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at];
    const name = word.replace(/^--?/, '');
    if (name === word) throw new CliError(`"${word}" is no option; a kernel is given with -kernel FILE`);
    const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (option === undefined) {
      const near = didYouMean(
        word,
        Object.keys(OPTIONS).map((known) => `-${known}`),
      );
      throw new CliError(`unknown option ${word}${near}`);
    }
    if (option.argument === undefined) {
      typed.push({ name, value: '' });
      continue;
    }
    const value = argv[++at];
    if (value === undefined) throw new CliError(`${word} needs an argument: ${option.argument}`);
    typed.push({ name: option.alias ?? name, value });
  }
  return typed;
}

/** What a command line asks for. @throws CliError */
export function parseCommandLine(argv: readonly string[]): RunPlan {
  const typed = typedOptions(argv);
  const all = (name: string): string[] =>
    typed.filter((option) => option.name === name).map(({ value }) => value);
  const last = (name: string): string | undefined => all(name).at(-1);
  const has = (name: string): boolean => typed.some((option) => option.name === name);
  oneOf('-cpu', last('cpu'), ['rv64', 'max']);
  oneOf('-display', last('display'), ['none']);
  const cpuCheck = has('cpu-check');
  for (const value of all('global')) checkGlobal(value);
  const nics = all('nic').map((value, index) => nicPlan(value, index));
  const drives = all('drive').map((value, index) => drivePlan(value, index, has('snapshot')));
  const virtfs = all('virtfs').map((value, index) => virtfsPlan(value, index));
  const { dumps, entropies } = objects(all('object'));
  return {
    name: last('name') ?? 'machine',
    harts: harts(last('smp')),
    ...machine(last('M') ?? 'virt'),
    jit: accelerator(last('accel')),
    cpuCheck,
    memory: memory(last('m')),
    bios: bios(last('bios')),
    kernel: last('kernel'),
    initrd: last('initrd'),
    deviceTree: last('dtb'),
    append: last('append'),
    serial: serial(last('serial'), has('nographic')),
    netdevs: [...all('netdev').map(netdevPlan), ...nics.map(({ netdev }) => netdev)],
    devices: [
      ...all('device').map(devicePlan),
      ...nics.map(({ device }) => device),
      ...drives
        .filter((drive) => drive.interface === 'virtio')
        .map(({ id }) => devicePlan(`virtio-blk-pci,drive=${id}`)),
      ...virtfs.map(({ folder, tag }) => devicePlan(`virtio-9p-pci,fsdev=${folder.id},mount_tag=${tag}`)),
    ],
    drives,
    folders: [...all('fsdev').map(folderPlan), ...virtfs.map(({ folder }) => folder)],
    entropies,
    dumps,
    monitors: all('qmp')
      .filter((value) => value !== 'none')
      .map(monitorPlan),
    paused: has('S'),
    gdb: gdb(last('gdb') ?? (has('s') ? 'tcp::1234' : 'none')),
    noReboot: has('no-reboot'),
    loadSnapshot: last('loadvm'),
    rtc: rtc(last('rtc')),
    statistics: last('statistics'),
    time: oneOf('-time', last('time'), ['realtime', 'virtual']) ?? (cpuCheck ? 'virtual' : 'realtime'),
  };
}

function oneOf<Word extends string>(
  option: string,
  value: string | undefined,
  words: readonly Word[],
): Word | undefined {
  if (value === undefined) return undefined;
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) {
    throw new CliError(`${option} is ${words.join(' or ')}, not "${value}"${didYouMean(value, words)}`);
  }
  return word;
}

function machine(value: string): Pick<RunPlan, 'aia' | 'aiaGuests' | 'iommu'> {
  const properties = new Properties(value, '-M', 'type');
  oneOf('-M', properties.required('type'), ['virt']);
  const aia = properties.choice('aia', ['none', 'aplic', 'aplic-imsic'], 'none');
  const aiaGuests = properties.number('aia-guests', 0, { most: AIA.maxGuests });
  if (aiaGuests > 0 && aia !== 'aplic-imsic') {
    throw new CliError('-M: aia-guests are files of an IMSIC, which comes with aia=aplic-imsic');
  }
  const iommu = properties.flag('iommu-sys', false);
  properties.choice('aclint', ['off'], 'off');
  properties.done();
  return { aia, aiaGuests, iommu };
}

function harts(value: string | undefined): number {
  if (value === undefined) return 1;
  const properties = new Properties(value, '-smp', 'cpus');
  for (const ignored of ['cores', 'sockets', 'threads', 'maxcpus']) properties.optional(ignored);
  const count = properties.number('cpus', 1, { least: 1, most: MAX_HARTS });
  properties.done();
  return count;
}

/** `-accel tcg,tb-size=N`: QEMU's option for the size of its own cache of compiled code, in MiB. */
function accelerator(value: string | undefined): RunPlan['jit'] {
  if (value === undefined) return undefined;
  const properties = new Properties(value, '-accel', 'accel');
  const name = oneOf('-accel', properties.required('accel'), ['jit', 'tcg', 'interpreter']);
  const size = properties.number('tb-size', 0, { least: 1, most: 2047 });
  // Harts share a thread, as those of QEMU may.
  properties.choice('thread', ['single', 'multi'], 'single');
  properties.done();
  if (name === 'interpreter') return false;
  return size === 0 ? {} : { quota: size * MIB };
}

function memory(value: string | undefined): number {
  if (value === undefined) return 128 * MIB;
  const properties = new Properties(value, '-m', 'size');
  const bytes = parseBytes(properties.required('size'), '-m', MIB);
  properties.done();
  return bytes;
}

function bios(value: string | undefined): RunPlan['bios'] {
  if (value === undefined || value === 'default') return 'default';
  return value === 'none' ? 'none' : { path: value };
}

function serial(value: string | undefined, nographic: boolean): CharacterPlan {
  if (value === undefined) return { kind: 'stdio', escapes: true };
  if (value === 'stdio') return { kind: 'stdio', escapes: nographic };
  if (value === 'mon:stdio') return { kind: 'stdio', escapes: true };
  if (value === 'none' || value === 'null') return { kind: 'none' };
  if (value.startsWith('file:') && value.length > 5) return { kind: 'file', path: value.slice(5) };
  throw new CliError(`-serial is stdio, mon:stdio, file:PATH or none, not "${value}"`);
}

function netdevPlan(value: string): NetdevPlan {
  const properties = new Properties(value, '-netdev', 'type');
  const type = properties.required('type');
  properties.where = `-netdev ${type}`;
  return { type, id: properties.required('id'), properties };
}

/** `-nic user,model=e1000,mac=…`: the network's properties, and the NIC's model and mac. */
function nicPlan(value: string, index: number): { netdev: NetdevPlan; device: DevicePlan } {
  const properties = new Properties(value, '-nic', 'type');
  const type = properties.required('type');
  properties.where = `-nic ${type}`;
  const id = properties.optional('id') ?? `nic${index}`;
  const model = properties.optional('model') ?? 'e1000';
  const mac = properties.optional('mac');
  const text = `${model},netdev=${id}${mac === undefined ? '' : `,mac=${mac}`}`;
  return { netdev: { type, id, properties }, device: devicePlan(text) };
}

/** `-device NAME,…` @throws CliError */
export function devicePlan(value: string): DevicePlan {
  const properties = new Properties(value, '-device', 'driver');
  const driver = properties.required('driver');
  properties.where = `-device ${driver}`;
  return { driver, properties };
}

/** `-object`: what goes by its type. */
function objects(values: readonly string[]): { dumps: DumpPlan[]; entropies: EntropyPlan[] } {
  const dumps: DumpPlan[] = [];
  const entropies: EntropyPlan[] = [];
  for (const [index, value] of values.entries()) {
    const properties = new Properties(value, '-object', 'qom-type');
    const type = oneOf('-object', properties.required('qom-type'), [
      'filter-dump',
      'rng-random',
      'rng-builtin',
    ]);
    properties.where = `-object ${type}`;
    if (type === 'filter-dump') dumps.push(dumpPlan(properties, index));
    else entropies.push(entropyPlan(properties));
  }
  return { dumps, entropies };
}

function dumpPlan(properties: Properties, index: number): DumpPlan {
  const plan = {
    id: properties.optional('id') ?? `dump${index}`,
    netdev: properties.required('netdev'),
    file: properties.required('file'),
    maxLength: properties.number('maxlen', 65_536, { least: 1, most: 2 ** 31 }),
  };
  properties.done();
  return plan;
}

/** The one global property that command lines for this board carry. */
function checkGlobal(value: string): void {
  const [name = '', setting = ''] = value.split('=');
  if (name !== 'virtio-mmio.force-legacy') {
    throw new CliError(`-global: the property is virtio-mmio.force-legacy, not "${name}"`);
  }
  oneOf(`-global ${name}`, setting, ['false', 'off', 'no']);
}

function monitorPlan(value: string): MonitorPlan {
  const [address = '', ...rest] = value.split(',');
  if (!address.startsWith('unix:') || address.length === 5) {
    throw new CliError(`a monitor is unix:PATH,server=on,wait=off, not "${value}"`);
  }
  const properties = new Properties(['address', ...rest].join(','), '-qmp unix', 'address');
  properties.required('address');
  const plan = {
    path: address.slice(5),
    server: properties.flag('server', false),
    wait: properties.flag('wait', true),
  };
  properties.done();
  if (!plan.server) throw new CliError('-qmp unix: the monitor listens; add server=on,wait=off');
  return plan;
}

function gdb(value: string): GdbPlan | undefined {
  if (value === 'none') return undefined;
  const { host = '', port = '' } =
    /^tcp:(?<host>[^:]*|\[[^\]]*\]):(?<port>\d{1,5})$/.exec(value)?.groups ?? {};
  if (port === '' || Number(port) > 65_535) {
    throw new CliError(`-gdb is tcp::PORT or tcp:HOST:PORT, not "${value}"`);
  }
  return { host: host === '' ? '127.0.0.1' : host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function rtc(value: string | undefined): bigint | 'now' {
  if (value === undefined) return 'now';
  const properties = new Properties(value, '-rtc', 'base');
  const base = properties.optional('base') ?? 'utc';
  properties.optional('clock');
  properties.done();
  if (base === 'utc' || base === 'localtime') return 'now';
  const milliseconds = Date.parse(/[zZ]$/.test(base) ? base : `${base}Z`);
  if (Number.isNaN(milliseconds))
    throw new CliError(`-rtc base is utc or a date such as 2024-02-29T12:00:00, not "${base}"`);
  return BigInt(milliseconds) * 1_000_000n;
}
