import { Ledger } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { RegisterFile, REGISTER_BYTES } from './register-file.js';
import * as R from './register-map.js';
import { REGISTERS } from './register-table.js';

const create = (): RegisterFile =>
  new RegisterFile(new Uint32Array(REGISTER_BYTES >> 2), new Ledger(), 'igb');

describe('registers', () => {
  it('82576 Table 8-1: every register has its own address', () => {
    const taken = new Map<number, string>();
    for (const { name, offset, count = 1, stride = 4, ...more } of REGISTERS) {
      const { alias, aliasStride = stride, aliasCount = count } = more;
      for (let nth = 0; nth < count; nth++) {
        const places = [offset + nth * stride];
        if (alias !== undefined && nth < aliasCount) places.push(alias + nth * aliasStride);
        for (const place of places) {
          expect(`${place.toString(16)} ${taken.get(place) ?? 'free'}`).toBe(`${place.toString(16)} free`);
          taken.set(place, name);
        }
      }
    }
  });

  it.each(
    REGISTERS.filter(({ read = 'value' }) => read === 'value').map(
      (register) => [register.name, register] as const,
    ),
  )('82576 8.2 to 8.19: writable bits of %s', (_name, { offset, mask, reset = 0, count = 1, stride = 4 }) => {
    const registers = create();
    for (const nth of [0, count - 1]) {
      const at = offset + nth * stride;
      const fixed = (reset === 'kept' ? 0 : reset) & ~mask;
      registers.write(at, 0xffff_ffff);
      expect(registers.read(at)).toBe((mask | fixed) >>> 0);
      registers.write(at, 0);
      expect(registers.read(at)).toBe(fixed >>> 0);
    }
  });

  it('82576 8.10, 8.12: the first four queues have second addresses', () => {
    const registers = create();
    for (let queue = 0; queue < 4; queue++) {
      registers.write(R.REG_RX_QUEUE_ALIAS + queue * 0x100, 0x1000 * (queue + 1));
      registers.write(R.REG_TDBAL + queue * R.QUEUE_STRIDE, 0x2000 * (queue + 1));
      expect(registers.read(R.REG_RDBAL + queue * R.QUEUE_STRIDE)).toBe(0x1000 * (queue + 1));
      expect(registers.read(R.REG_TX_QUEUE_ALIAS + queue * 0x100)).toBe(0x2000 * (queue + 1));
    }
  });

  it('82576 8.18: statistics are cleared by reading, those of pools are not', () => {
    const registers = create();
    registers.set(R.REG_GPRC, 5);
    registers.set(R.REG_VFGPRC, 7);
    expect([registers.read(R.REG_GPRC), registers.read(R.REG_GPRC)]).toEqual([5, 0]);
    expect([registers.read(R.REG_VFGPRC), registers.read(R.REG_VFGPRC)]).toEqual([7, 7]);
    registers.set(R.REG_GORCL, 3);
    registers.set(R.REG_GORCL + 4, 1);
    expect([registers.read(R.REG_GORCL), registers.read(R.REG_GORCL + 4)]).toEqual([3, 1]);
    expect([registers.read(R.REG_GORCL), registers.read(R.REG_GORCL + 4)]).toEqual([0, 0]);
  });

  it('82576 8.1: reserved addresses read as 0 and ignore writes', () => {
    const registers = create();
    for (const at of [0x0e04, 0xbf00, 0x10ffc, REGISTER_BYTES, 0x1_fffc]) {
      registers.write(at, 0xffff_ffff);
      expect(registers.read(at)).toBe(0);
    }
  });
});
