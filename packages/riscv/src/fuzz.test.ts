import { encodeSnapshot } from '@vmloom/device';
import { hostOffset } from '@vmloom/memory';
import { describe, expect, it } from 'vitest';
import {
  CSR_MEDELEG,
  CSR_MIDELEG,
  CSR_MIE,
  CSR_MSTATUS,
  CSR_MTVEC,
  CSR_SATP,
  CSR_STVEC,
} from './csr-numbers.js';
import { INSTRUCTIONS } from './instructions.js';
import { bareMachine, RAM_BASE, Random, type BareMachine } from './testing/index.js';

const RAM = 1 << 18;
const DEVICE = 0x1000_0000;

/** A machine whose RAM holds random instructions, some legal ones of each kind, and random page tables. */
async function hostile(seed: number): Promise<BareMachine> {
  const machine = await bareMachine({ memory: { ram: 2 * RAM }, mapped: RAM, codePages: 4, harts: 2 });
  const random = new Random(seed);
  const words = Array.from({ length: RAM / 4 }, () => {
    const kind = random.below(8);
    if (kind === 0) return random.u32();
    if (kind === 1) return pte(random);
    const { match, mask } = random.pick(INSTRUCTIONS);
    return (match | (random.u32() & ~mask)) >>> 0;
  });
  machine.load(RAM_BASE, words);
  machine.space.mapMmio({
    name: 'device',
    base: DEVICE,
    size: 4096,
    handler: { read: (offset) => (offset * 0x9e37_79b9) >>> 0, write: () => undefined },
  });
  machine.harts.forEach((hart) => {
    hart.writeCsr(0x3b0, (1n << 54n) - 1n);
    hart.writeCsr(0x3a0, 0x1fn);
    hart.writeCsr(CSR_MTVEC, BigInt(RAM_BASE + random.below(RAM)));
    hart.writeCsr(CSR_STVEC, BigInt(RAM_BASE + random.below(RAM)));
    hart.writeCsr(CSR_MEDELEG, random.u64());
    hart.writeCsr(CSR_MIDELEG, random.u64());
    hart.writeCsr(CSR_MIE, random.u64());
    hart.writeCsr(CSR_MSTATUS, random.u64());
    const mode = random.pick([0n, 8n, 9n]);
    hart.writeCsr(CSR_SATP, (mode << 60n) | (BigInt(RAM_BASE + random.below(RAM)) >> 12n));
    hart.privilege = random.pick([0, 1, 3] as const);
    hart.pc = BigInt(RAM_BASE + random.below(RAM));
    for (let index = 1; index < 32; index++) {
      const anywhere = [
        random.u64(),
        BigInt(RAM_BASE + random.below(RAM)),
        BigInt(DEVICE + random.below(64)),
      ];
      hart.writeX(index, random.pick(anywhere));
      hart.writeF(index, random.u64());
    }
  });
  return machine;
}

/** Half of an entry that points into RAM, into the device or anywhere, with random bits. */
function pte(random: Random): number {
  const target = random.pick([RAM_BASE, DEVICE, 0]) + random.below(RAM);
  return (((target >>> 12) << 10) | (random.u32() & 0x3ff)) >>> 0;
}

/** Runs both harts in turn; a hart that got stuck or waits starts again elsewhere. */
function drive(machine: BareMachine, seed: number, slice: number, rounds: number): number {
  const random = new Random(seed ^ 0x5555);
  let retired = 0;
  for (let round = 0; round < rounds; round++) {
    for (const hart of machine.harts) {
      const target = hart.retired + 1000;
      let exit = 'budget';
      while (hart.retired < target && exit === 'budget') {
        const count = Math.min(slice, target - hart.retired);
        const done = hart.run(count);
        retired += done;
        exit = hart.exit;
        if (exit === 'budget' ? done !== count : done > count) throw new Error(`${done} of ${count} retired`);
      }
      hart.setInterrupt(random.pick([1, 3, 5, 7, 9, 11] as const), random.below(2) === 1);
      const pc = BigInt(RAM_BASE + random.below(RAM));
      if (exit !== 'budget') {
        hart.reset({ pc });
        hart.writeCsr(CSR_MTVEC, pc + 64n);
      } else if (random.below(4) === 0) {
        hart.privilege = random.pick([0, 1, 3] as const);
        hart.pc = pc;
      }
    }
  }
  return retired;
}

describe('hostile guests', () => {
  const seeds = Array.from({ length: 24 }, (_, index) => 1000 + index * 7919);

  it.each(seeds)('random programs, registers and page tables: seed %i', async (seed) => {
    const machine = await hostile(seed);
    expect(drive(machine, seed, 1000, 60)).toBeGreaterThan(0);
  });

  it('give the same result in slices of 1, 7 and 1000', async () => {
    for (const seed of seeds.slice(0, 6)) {
      const results: string[] = [];
      for (const slice of [1, 7, 1000]) {
        const machine = await hostile(seed);
        drive(machine, seed, slice, 10);
        let sum = 0;
        const { memory } = machine;
        for (let at = 0; at < RAM; at++)
          sum = (Math.imul(sum, 31) + memory.bytes[memory.ramOffset + at]) >>> 0;
        results.push(`${sum} ${machine.harts.map((hart) => encodeSnapshot(hart.save())).join()}`);
      }
      expect(new Set(results).size).toBe(1);
    }
  });

  it('never touch memory that their address space does not show', async () => {
    for (const seed of seeds.slice(0, 4)) {
      const machine = await hostile(seed);
      const { memory } = machine;
      drive(machine, seed, 1000, 60);
      const hidden = memory.read(hostOffset(memory.ramOffset + RAM), memory.ramSize - RAM);
      expect(hidden.every((byte) => byte === 0)).toBe(true);
    }
  });
});
