import { describe, expect, it } from 'vitest';
import * as B from '../register-bits.js';
import * as R from '../register-map.js';
import { VirtualBench } from '../testing/virtual-bench.js';
import * as V from './vf-register-map.js';

function setup(): VirtualBench {
  const bench = new VirtualBench();
  bench.enable(8);
  bench.write(R.REG_CTRL_EXT, B.CTRL_EXT_PFRSTD);
  bench.write(R.REG_IMS, B.ICR_VMMB);
  return bench;
}

describe('mailbox (82576 7.10.2.9)', () => {
  it.each([0, 5, 7])('a message of function %i, its answer, and both acknowledgements', (vf) => {
    const bench = setup();
    const { physical, virtual } = bench.mailbox(vf);
    expect(virtual.physicalWasReset()).toBe(true);
    expect(virtual.send([0x0101, vf])).toBe(true);
    expect(bench.read(R.REG_ICR) & B.ICR_VMMB).toBe(B.ICR_VMMB);
    expect(physical.receive(2)).toEqual([0x0101, vf]);
    expect(bench.messages()).toEqual([16 * vf + 2]);
    expect(virtual.acknowledged()).toBe(true);
    expect(physical.send([0x8000_0101, 0xabcd])).toBe(true);
    expect(bench.messages()).toEqual([16 * vf + 2]);
    expect(virtual.receive(2)).toEqual([0x8000_0101, 0xabcd]);
    expect(physical.acknowledged()).toBe(true);
    expect([
      virtual.receive(1),
      physical.receive(1),
      virtual.acknowledged(),
      physical.acknowledged(),
    ]).toEqual([undefined, undefined, false, false]);
  });

  it('82576 8.26.2.4, 8.14.6: who has the buffer keeps the other from taking it', () => {
    const bench = setup();
    bench.vfRead(2, V.VT_MAILBOX);
    bench.vfWrite(2, V.VT_MAILBOX, V.MAILBOX_VFU);
    bench.write(R.REG_P2VMAILBOX + 8, V.PF_MAILBOX_PFU);
    expect(bench.read(R.REG_P2VMAILBOX + 8)).toBe(V.PF_MAILBOX_VFU);
    bench.vfWrite(2, V.VT_MAILBOX, 0);
    bench.write(R.REG_P2VMAILBOX + 8, V.PF_MAILBOX_PFU);
    bench.vfWrite(2, V.VT_MAILBOX, V.MAILBOX_VFU);
    expect(bench.vfRead(2, V.VT_MAILBOX)).toBe(V.MAILBOX_PFU);
    expect(bench.vfRead(3, V.VT_MAILBOX) & V.MAILBOX_PFU).toBe(0);
  });

  it('82576 8.14.6: RVFU takes the buffer from a function that keeps it', () => {
    const bench = setup();
    bench.vfWrite(2, V.VT_MAILBOX, V.MAILBOX_VFU);
    bench.vfWrite(2, V.VT_MAILBOX, V.MAILBOX_VFU | V.MAILBOX_REQ);
    bench.write(R.REG_P2VMAILBOX + 8, V.PF_MAILBOX_RVFU | V.PF_MAILBOX_PFU);
    expect(bench.read(R.REG_P2VMAILBOX + 8)).toBe(V.PF_MAILBOX_PFU);
    expect(bench.read(R.REG_MBVFICR)).toBe(0);
  });

  it('82576 8.14.8: MBVFIMR keeps a function’s messages from interrupting; the cause is set', () => {
    const bench = setup();
    bench.read(R.REG_ICR);
    bench.write(R.REG_MBVFIMR, 0xfe);
    bench.mailbox(0).virtual.send([1]);
    expect(bench.read(R.REG_ICR) & B.ICR_VMMB).toBe(0);
    expect(bench.read(R.REG_MBVFICR)).toBe(1);
    bench.mailbox(1).virtual.send([1]);
    expect(bench.read(R.REG_ICR) & B.ICR_VMMB).toBe(B.ICR_VMMB);
  });

  it('82576 8.26.2.5: sixteen words for each function, which no other function reaches', () => {
    const bench = setup();
    for (let vf = 0; vf < 8; vf++) {
      for (let word = 0; word < 16; word++) bench.vfWrite(vf, V.VT_VMBMEM + 4 * word, 0x100 * vf + word);
    }
    for (let vf = 0; vf < 8; vf++) {
      expect(bench.read(R.REG_VMBMEM + 64 * vf + 60)).toBe(0x100 * vf + 15);
      expect(bench.vfRead(vf, V.VT_VMBMEM)).toBe(0x100 * vf);
      expect(bench.vfRead(vf, V.VT_VMBMEM + 64)).toBe(0);
    }
  });

  it('without an entry in VTIVAR_MISC the function has to look', () => {
    const bench = setup();
    bench.vfWrite(0, V.VT_IVAR_MISC, 2);
    const { physical, virtual } = bench.mailbox(0);
    physical.send([9]);
    expect(bench.messages()).toEqual([]);
    expect(virtual.receive(1)).toEqual([9]);
  });
});
