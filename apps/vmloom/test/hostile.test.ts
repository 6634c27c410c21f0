import { E1000 } from '@vmloom/e1000';
import { guestImage } from '@vmloom/guest';
import { createMachine, MachineError, World, type MachineOptions } from '@vmloom/machine';
import { Random } from '@vmloom/net';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmloom-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const tiny = await guestImage('tiny');

/** Runs a machine that may be anything for 2 ms of virtual time: it ends, is refused with a sentence, or goes on. */
async function survive(options: MachineOptions): Promise<'ran' | 'refused'> {
  const world = new World();
  const machine = await createMachine({ ...options, world, memory: '16MiB' });
  machine.pcie.plug(new E1000());
  try {
    machine.powerOn();
  } catch (error) {
    expect(error).toBeInstanceOf(MachineError);
    expect((error as Error).message).toMatch(/^[^\n]{15,300}$/);
    return 'refused';
  }
  await world.run({ until: 2e6 });
  return 'ran';
}

function mutate(image: Uint8Array, random: Random, from: number, to: number): Uint8Array {
  const copy = image.slice();
  for (let count = 1 + random.below(8); count > 0; count--) {
    copy[from + random.below(to - from)] = random.below(256);
  }
  return copy;
}

describe('hostile images', () => {
  it('an ELF file whose headers lie is refused with a sentence, or runs as what it then is', async () => {
    const random = new Random(7);
    const outcomes = { ran: 0, refused: 0 };
    for (let round = 0; round < 80; round++)
      outcomes[await survive({ kernel: mutate(tiny, random, 0, 300) })]++;
    expect(outcomes.ran).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(0);
  });

  it('a kernel whose code is damaged never harms the host', async () => {
    const random = new Random(8);
    for (let round = 0; round < 40; round++) {
      expect(await survive({ kernel: mutate(tiny, random, 0x1000, tiny.length) })).toBe('ran');
    }
  });

  it('random instructions in M-mode and in S-mode never harm the host', async () => {
    const random = new Random(9);
    for (let round = 0; round < 100; round++) {
      const kernel = Uint8Array.from({ length: 4096 }, () => random.below(256));
      // So that the stream is not taken for an image of some format.
      kernel[0] = 0x13;
      const firmware = round % 2 === 0 ? 'none' : 'sbi';
      expect(await survive({ kernel, firmware, harts: 1 + (round % 3) })).toBe('ran');
    }
  });

  it('a device tree that lies is refused, or the guest deals with it', async () => {
    const random = new Random(10);
    const outcomes = { ran: 0, refused: 0 };
    for (let round = 0; round < 40; round++) {
      const deviceTree = Uint8Array.from({ length: 64 + random.below(200) }, () => random.below(256));
      if (round % 2 === 0) deviceTree.set([0xd0, 0x0d, 0xfe, 0xed]);
      outcomes[await survive({ kernel: tiny, deviceTree })]++;
    }
    expect(outcomes.refused).toBeGreaterThan(20);
  });
});

describe('the command line answers what is wrong with one sentence and a status', () => {
  const [truncated, big, gzip] = ['truncated.elf', 'big', 'broken.gz'];
  beforeAll(() => {
    writeFileSync(join(folder, truncated), tiny.subarray(0, 200));
    writeFileSync(join(folder, big), new Uint8Array(20 * 2 ** 20).fill(1));
    writeFileSync(join(folder, gzip), Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8));
  });

  it.each([
    ['nothing of the kind', ['frobnicate'], /no command frobnicate/],
    ['a near miss', ['rnu'], /did you mean run\?/],
    ['an unknown option', ['run', '-kernle', 'x'], /did you mean -kernel\?/],
    ['a missing file', ['run', '-kernel', '/nowhere/kernel'], /kernel \/nowhere\/kernel cannot be read/],
    ['a truncated ELF file', ['run', '-kernel', truncated], /./],
    ['a broken gzip file', ['run', '-kernel', gzip], /does not unpack|compressed/],
    ['a kernel larger than RAM', ['run', '-m', '8', '-kernel', big], /more memory/],
    [
      'an initial RAM disk larger than RAM',
      ['run', '-m', '8', '-kernel', big, '-initrd', big],
      /more memory/,
    ],
    ['a device tree that is none', ['run', '-dtb', big, '-m', '64', '-kernel', truncated], /./],
    ['a snapshot that is none', ['run', '-loadvm', big], /is no snapshot/],
    ['an unknown device', ['run', '-device', 'e100'], /did you mean e1000\?/],
    ['an unknown property', ['run', '-device', 'e1000,mca=1'], /did you mean mac\?/],
    ['a bad address', ['run', '-device', 'e1000,mac=zz'], /mac|MAC|address/i],
    [
      'an unknown network',
      ['run', '-netdev', 'user,id=n0', '-device', 'e1000,netdev=n1'],
      /did you mean n0\?/,
    ],
    ['an unknown kind of network', ['run', '-netdev', 'usre,id=n0'], /did you mean user\?/],
    [
      'two devices on one network',
      ['run', '-nic', 'user,id=n', '-device', 'e1000,netdev=n'],
      /has a device already/,
    ],
    ['a bad forwarding rule', ['run', '-netdev', 'user,id=n0,hostfwd=nonsense'], /forwarding rule/],
    ['an occupied slot', ['run', '-device', 'e1000,addr=0'], /slot 0/],
    ['a bus that is not there', ['run', '-device', 'e1000,bus=rp7'], /no bus is called rp7/],
    ['too much memory', ['run', '-m', '64G'], /4 GiB/],
    ['no memory', ['run', '-m', '0'], /RAM|memory/],
    ['a log that cannot be written', ['run', '-serial', 'file:/nowhere/log'], /cannot be written/],
    ['a device list of something else', ['devices', 'e1001'], /did you mean e1000\?/],
    ['a demo with arguments', ['demo', 'please'], /takes no arguments/],
  ])('%s', (_name, args, sentence) => {
    const { status, stderr } = spawnSync(process.execPath, [bin, ...args], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(stderr).toMatch(/^vmloom: [^\n]+\n$/);
    expect(stderr).toMatch(sentence);
    expect(status).toBe(1);
  });

  it('help and devices print', () => {
    const print = (...args: string[]): string =>
      spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' }).stdout;
    expect(print('help')).toContain('-kernel FILE');
    expect(print('devices')).toContain('e1000');
    expect(print('devices', 'e1000')).toContain('netdev');
    expect(print()).toBe(print('help'));
  });
});
