import { describe, expect, it } from 'vitest';
import { CSR_FCSR, CSR_FFLAGS, CSR_FRM, CSR_MSTATUS } from './csr-numbers.js';
import { asm, bareMachine, RAM_BASE } from './testing/index.js';

const BOX = 0xffff_ffff_0000_0000n;
const NAN32 = BOX | 0x7fc0_0000n;

const view = new DataView(new ArrayBuffer(8));
function double(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
function single(value: number): bigint {
  view.setFloat32(0, value);
  return BOX | BigInt(view.getUint32(0));
}

/** Runs words with fa1, fa2, fa3 as told; the machine. */
async function compute(words: number[], a: bigint, b = 0n, c = 0n) {
  const machine = await bareMachine();
  const { hart } = machine;
  machine.load(RAM_BASE, words);
  hart.writeCsr(CSR_MSTATUS, 1n << 13n);
  [a, b, c].forEach((value, index) => hart.writeF(11 + index, value));
  expect(hart.run(words.length)).toBe(words.length);
  return machine;
}

describe('F and D in the hart', () => {
  it('fused operations take their operands and signs in order (20.6)', async () => {
    for (const [word, value] of [
      [asm.fmadd_d('fa0', 'fa1', 'fa2', 'fa3'), 3 * 5 + 7],
      [asm.fmsub_d('fa0', 'fa1', 'fa2', 'fa3'), 3 * 5 - 7],
      [asm.fnmsub_d('fa0', 'fa1', 'fa2', 'fa3'), -(3 * 5) + 7],
      [asm.fnmadd_d('fa0', 'fa1', 'fa2', 'fa3'), -(3 * 5) - 7],
    ] as const) {
      const { hart } = await compute([word], double(3), double(5), double(7));
      expect(hart.readF(10)).toBe(double(value));
    }
  });

  it('the dynamic rounding mode comes from frm, the static one from the instruction', async () => {
    const third = async (mode: number, frm: number) => {
      const words = [asm.csrrwi('zero', 'frm', frm), asm.fdiv_d('fa0', 'fa1', 'fa2', mode)];
      return (await compute(words, double(1), double(3))).hart.readF(10);
    };
    const nearest = double(1 / 3);
    expect([await third(7, 0), await third(7, 3), await third(1, 3), await third(3, 1)]).toEqual([
      nearest,
      nearest + 1n,
      nearest,
      nearest + 1n,
    ]);
  });

  it('flags accrue in fflags and only software clears them (20.2)', async () => {
    const { hart } = await compute(
      [asm.fdiv_d('fa0', 'fa1', 'fa2'), asm.fsqrt_d('fa4', 'fa3'), asm.fadd_d('fa5', 'fa1', 'fa1')],
      double(1),
      0n,
      double(-1),
    );
    expect(hart.readCsr(CSR_FFLAGS)).toBe(0x18n);
    hart.writeCsr(CSR_FCSR, 0x60n);
    expect([hart.readCsr(CSR_FFLAGS), hart.readCsr(CSR_FRM)]).toEqual([0n, 3n]);
  });

  it('single results are NaN-boxed, operands that are not boxed are the canonical NaN (21.2)', async () => {
    const { hart } = await compute(
      [asm.fadd_s('fa0', 'fa1', 'fa1'), asm.fadd_s('fa4', 'fa2', 'fa1'), asm.fsgnj_s('fa5', 'fa2', 'fa1')],
      single(1.5),
      0x3fc0_0000n,
    );
    expect([hart.readF(10), hart.readF(14), hart.readF(15)]).toEqual([single(3), NAN32, NAN32]);
  });

  it('FMV moves bits without a look at boxing; FSW stores the low half, FLW boxes', async () => {
    const machine = await compute(
      [
        asm.fmv_x_w('a0', 'fa1'),
        asm.fmv_w_x('fa0', 'a0'),
        asm.auipc('s0', 1),
        asm.fsw('fa1', 0, 's0'),
        asm.flw('fa4', 0, 's0'),
        asm.fsd('fa1', 8, 's0'),
        asm.fld('ft0', 8, 's0'),
      ],
      0x1234_5678_8000_0001n,
    );
    const { hart } = machine;
    expect(hart.readX(10)).toBe(0xffff_ffff_8000_0001n);
    expect([hart.readF(10), hart.readF(14)]).toEqual([BOX | 0x8000_0001n, BOX | 0x8000_0001n]);
    expect(hart.readF(0)).toBe(0x1234_5678_8000_0001n);
    expect(machine.read64(RAM_BASE + 0x1008)).toBe(0x8000_0001n);
  });

  it('comparisons, classes and conversions write integer registers, x0 among them', async () => {
    const { hart } = await compute(
      [
        asm.flt_d('a0', 'fa1', 'fa2'),
        asm.fclass_d('a1', 'fa3'),
        asm.fcvt_w_d('a2', 'fa1', 'rtz'),
        asm.fcvt_wu_d('a3', 'fa1', 'rtz'),
        asm.feq_d('zero', 'fa1', 'fa1'),
        asm.fcvt_d_l('fa0', 'a2'),
      ],
      double(-2.5),
      double(1),
      double(Infinity),
    );
    const low = [10, 11, 12, 13].map((index) => hart.readX(index));
    expect(low).toEqual([1n, 0x80n, 0xffff_ffff_ffff_fffen, 0n]);
    expect(hart.readX(0)).toBe(0n);
    expect(hart.readF(10)).toBe(double(-2));
  });
});
