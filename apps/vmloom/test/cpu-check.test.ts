import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../src/commands/run.js';
import { parseCommandLine } from '../src/options/command-line.js';
import { CheckedRun } from '../src/run/checked-run.js';
import { Session } from '../src/run/session.js';
import { CpuCheck, createMachine } from '@vmloom/machine';
import type { TerminalStreams } from '../src/serial/terminal.js';

const tiny = fileURLToPath(new URL('../../../packages/guest/prebuilt/tiny.elf', import.meta.url));
const LINE = ['-cpu-check', '-m', '32', '-kernel', tiny];

/** A person who types when the machine has said something. */
function terminal(expected: RegExp, typed: string): { streams: TerminalStreams; output: () => string } {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  let text = '';
  let done = false;
  stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString();
    if (done || !expected.test(text)) return;
    done = true;
    stdin.write(typed);
  });
  return { streams: { stdin, stdout } as unknown as TerminalStreams, output: () => text };
}

describe('-cpu-check', () => {
  it('runs a guest twice, shows one of them, and types to both', async () => {
    const { streams, output } = terminal(/vmloom# /, 'poweroff\n');
    expect(await run(LINE, streams)).toBe(0);
    expect(output().match(/vmloom# /g)?.length).toBe(1);
  });

  it('a difference ends the run with both states', async () => {
    const kernel = new Uint8Array(Uint32Array.of(0x0000006f).buffer); // a jump to itself
    const checked = new CheckedRun(
      await CpuCheck.create({
        make: async (jit) => {
          const machine = await createMachine({ memory: '1MiB', firmware: 'none', kernel });
          const powerOn = machine.powerOn.bind(machine);
          machine.powerOn = () => {
            powerOn();
            if (jit !== false) machine.harts[0].writeX(9, 5n);
          };
          return machine;
        },
      }),
    );
    await expect(checked.run()).rejects.toThrow(
      /do not do the same[^]*s1 +0x0000000000000000 \| 0x0000000000000005/,
    );
  });

  it.each([
    ['-netdev user,id=n', '-netdev user'],
    ['-qmp unix:q,server=on', '-qmp'],
    ['-s', '-gdb'],
    ['-S', '-S'],
    ['-loadvm file', '-loadvm'],
    ['-time realtime', '-time realtime'],
    ['-accel interpreter', '-accel interpreter'],
  ])('cannot be had together with %s', async (options, named) => {
    const plan = parseCommandLine([...LINE, ...options.split(' ')]);
    await expect(Session.create(plan)).rejects.toThrow(`not with ${named}`);
  });
});
