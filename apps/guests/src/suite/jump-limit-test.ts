import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventOwner } from '@vmloom/device';
import { readImageHeader, VIRT, type Machine } from '@vmloom/machine';
import { hasTool } from '../apt/tools.js';
import type { LiveMachine } from '../boot/boot.js';
import { debian } from '../boot/initramfs.js';
import { openSbi } from '../opensbi.js';
import { APPEND, bootDebian, nameOf, type Configuration } from './debian-run.js';
import type { GuestTest } from './guest-test.js';
import type { Report } from './report.js';

/** The last line of the firmware's banner. */
const BANNER_END = /Boot HART MEDELEG[^\n]*\n/;
const NEXT_ADDRESS = /Next Address\s*: (0x[0-9a-f]+)/;
const NEXT_ARGUMENT = /Next Arg1\s*: (0x[0-9a-f]+)/;
/** A kernel's first line, from which on it says all the rest. */
const KERNEL_SPEAKS = /Linux version/;
/** Devicetree specification 5.2. */
const FDT_MAGIC = Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed);
/** Virtual nanoseconds, and milliseconds of QEMU, in which a healthy kernel speaks. */
const PATIENCE = 2e9;
const QEMU_PATIENCE = 8000;
const QEMU = 'qemu-system-riscv64';

/**
 * A kernel larger than 32 MiB under `fw_jump`: the firmware writes its device tree 32 MiB behind the place to
 * which it jumps, and so into the kernel. No machine can help that, and QEMU does not.
 */
export function jumpLimitTest(configuration: Configuration, set: GuestTest['set']): GuestTest {
  return {
    name: `${nameOf(configuration)} (fw_jump): its device tree falls into the kernel`,
    set,
    run: async (context) => {
      const { report } = context;
      const firmware = openSbi('jump');
      const { kernel } = debian(configuration.series, { update: context.update });
      const { imageSize } = readImageHeader(kernel);
      const seen: Uint8Array[] = [];
      const { log } = await bootDebian(context, configuration, '', {
        firmware,
        onMachine: (live) => {
          const { machine, stop } = live;
          const look = (): void => void seen.push(bytesAt(machine, placeOf(machine.console.text)));
          void machine.console.waitFor(NEXT_ARGUMENT).then(look, () => undefined);
          afterBanner(live, () => {
            look();
            stop();
          });
        },
      });
      judge(report, 'vmloom', log, imageSize);
      const [before, after] = seen;
      report.check(
        'the device tree that the firmware put there is gone when the kernel has run',
        same(before, FDT_MAGIC) && !same(after, FDT_MAGIC),
        `${String(before)}, then ${String(after)}`,
      );
      if (hasTool(QEMU)) judge(report, 'QEMU', await underQemu(kernel, firmware), imageSize);
      else report.note(`left out: ${QEMU} is not installed`);
    },
  };
}

/** That the firmware has said where it goes on and with what, and the kernel has said nothing. */
function judge(report: Report, whose: string, log: string, imageSize: number): void {
  const [kernel, tree] = [numberOf(NEXT_ADDRESS, log), placeOf(log)];
  report.check(
    `${whose}: OpenSBI's device tree lies in the kernel's image`,
    kernel < tree && tree < kernel + imageSize,
    `the kernel from ${hex(kernel)} to ${hex(kernel + imageSize)}, the tree at ${hex(tree)}`,
  );
  report.check(`${whose}: the kernel does not come up`, !KERNEL_SPEAKS.test(log), log.slice(-300));
}

/** Acts when a healthy kernel would have spoken. */
function afterBanner({ machine }: LiveMachine, act: () => void): void {
  const { clock } = machine.world;
  const watch: EventOwner = { name: 'watch', onEvent: act };
  clock.register(watch);
  void machine.console.waitFor(BANNER_END).then(
    () => clock.after(watch, 'act', PATIENCE),
    () => undefined,
  );
}

function underQemu(kernel: Uint8Array, firmware: Uint8Array): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vmloom-qemu-'));
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const machine = [
    '-machine',
    'virt',
    '-m',
    '128',
    '-display',
    'none',
    '-serial',
    'stdio',
    '-monitor',
    'none',
  ];
  const images = ['-bios', file('firmware', firmware), '-kernel', file('kernel', kernel), '-append', APPEND];
  const child = spawn(QEMU, [...machine, ...images], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise<string>((resolve, reject) => {
    let log = '';
    let ending: NodeJS.Timeout | undefined;
    const end = (): void => void child.kill('SIGKILL');
    const hopeless = setTimeout(end, 10 * QEMU_PATIENCE);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        log += bytes.toString();
        if (BANNER_END.test(log)) ending ??= setTimeout(end, QEMU_PATIENCE);
      });
    }
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(hopeless);
      clearTimeout(ending);
      resolve(log);
    });
  }).finally(() => rmSync(folder, { recursive: true }));
}

const numberOf = (pattern: RegExp, log: string): number => Number(pattern.exec(log)?.[1] ?? NaN);
const placeOf = (log: string): number => numberOf(NEXT_ARGUMENT, log);
const hex = (value: number): string => `0x${value.toString(16)}`;

function bytesAt({ memory }: Machine, address: number): Uint8Array {
  const offset = memory.ramOffset + address - VIRT.ram.base;
  return memory.bytes.slice(offset, offset + FDT_MAGIC.length);
}

function same(some: Uint8Array | undefined, others: Uint8Array): boolean {
  return some !== undefined && some.length === others.length && some.every((byte, at) => byte === others[at]);
}
