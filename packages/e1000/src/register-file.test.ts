import { describe, expect, it } from 'vitest';
import * as R from './register-map.js';
import { REGISTERS } from './register-table.js';
import { ethernetFrame, NicBench } from './testing/index.js';

const PATTERNS = [0x5a5a_5a5a, 0xa5a5_a5a5, 0x0000_0000, 0xffff_ffff];
/** Registers whose reads give more than what was written, or whose writes act. */
const ACTIVE = [
  'CTRL',
  'STATUS',
  'EECD',
  'EERD',
  'MDIC',
  'ICR',
  'ICS',
  'IMS',
  'IMC',
  'PBA',
  'TCTL',
  'CTRL_EXT',
];

const offsets = (definition: (typeof REGISTERS)[number]): number[] =>
  Array.from(
    { length: definition.count ?? 1 },
    (_, index) => definition.offset + index * (definition.stride ?? 4),
  );

describe('registers', () => {
  it('8254x Table 13-2: no two registers share an address', () => {
    const all = REGISTERS.flatMap(offsets);
    expect(new Set(all).size).toBe(all.length);
  });

  it.each(REGISTERS.filter(({ name, mask }) => mask !== 0 && !ACTIVE.includes(name)))(
    '8254x 13.4: $name keeps exactly its writable bits',
    (definition) => {
      const { driver } = new NicBench();
      for (const offset of offsets(definition)) {
        for (const pattern of PATTERNS) {
          driver.write(offset, pattern);
          expect(driver.read(offset)).toBe((pattern & definition.mask) >>> 0);
        }
      }
    },
  );

  it.each(REGISTERS.filter(({ group }) => group === 'statistics'))(
    '8254x 13.7: $name cannot be written',
    ({ offset }) => {
      const { driver } = new NicBench();
      driver.write(offset, 0xffff_ffff);
      expect(driver.read(offset)).toBe(0);
    },
  );

  it('8254x 13.2: the addresses of the 82542 lead to the same registers', () => {
    const { driver } = new NicBench();
    for (const definition of REGISTERS) {
      if (definition.alias === undefined || ACTIVE.includes(definition.name)) continue;
      const last = (definition.count ?? 1) - 1;
      const stride = definition.stride ?? 4;
      driver.write(definition.alias + last * stride, 0x0000_0080);
      expect(driver.read(definition.offset + last * stride)).toBe(0x80 & definition.mask);
    }
    driver.write(R.REG_CTRL_DUP, R.CTRL_SLU);
    expect(driver.read(R.REG_CTRL)).toBe(R.CTRL_SLU);
  });

  it('8254x 13.2: reserved addresses read as 0 and ignore writes', () => {
    const bench = new NicBench();
    for (const offset of [0x000c, 0x00dc, 0x1004, 0x4100, 0x5fff & ~3, 0x8004, 0xfffc]) {
      bench.driver.write(offset, 0xffff_ffff);
      expect(bench.driver.read(offset)).toBe(0);
    }
    expect(bench.count('register-write', 'reserved')).toBe(7);
    expect(bench.count('register-read', 'reserved')).toBe(7);
  });

  it('8254x 13.8: the packet buffer memory reads as it was written', () => {
    const { driver } = new NicBench();
    for (let offset = 0x10000; offset < 0x20000; offset += 0x1ffc) {
      driver.write(offset, offset);
      expect(driver.read(offset)).toBe(offset);
    }
  });

  it('8254x 13.8: FIFO pointers keep 13 bits, those of the transmitter 11; saved ones and counts keep 13', () => {
    const { driver } = new NicBench();
    const kept = (register: number): number => {
      driver.write(register, 0xffff_ffff);
      return driver.read(register);
    };
    for (const register of [R.REG_RDFH, R.REG_RDFT, R.REG_RDFHS, R.REG_RDFTS, R.REG_RDFPC]) {
      expect(kept(register)).toBe(0x1fff);
    }
    for (const register of [R.REG_TDFH, R.REG_TDFT]) expect(kept(register)).toBe(0x7ff);
    for (const register of [R.REG_TDFHS, R.REG_TDFTS, R.REG_TDFPC]) expect(kept(register)).toBe(0x1fff);
  });

  it('8254x 13.1: a narrow read gives its part, a narrow write is ignored', () => {
    const { mac, driver } = new NicBench();
    driver.write(R.REG_FCAL, 0x1234_5678);
    expect([0, 1, 2, 3].map((byte) => mac.read(R.REG_FCAL + byte, 1))).toEqual([0x78, 0x56, 0x34, 0x12]);
    expect(mac.read(R.REG_FCAL + 2, 2)).toBe(0x1234);
    mac.write(R.REG_FCAL, 2, 0);
    expect(driver.read(R.REG_FCAL)).toBe(0x1234_5678);
  });

  it('8254x 13.4.1: CTRL.RST clears itself, and brings every register to its reset value', () => {
    const bench = new NicBench();
    const { driver } = bench;
    const reset = REGISTERS.filter((definition) => definition.reset !== 'kept').flatMap(offsets);
    const before = reset.map((offset) => bench.mac.registers.get(offset));
    for (const definition of REGISTERS) {
      if (definition.mask !== 0 && definition.name !== 'CTRL') {
        for (const offset of offsets(definition)) driver.write(offset, 0x5a5a_5a5a);
      }
    }
    driver.write(R.REG_CTRL, R.CTRL_RST);
    expect(driver.read(R.REG_CTRL) & R.CTRL_RST).toBe(0);
    const after = reset.map((offset) => bench.mac.registers.get(offset));
    expect(after).toEqual(before);
    expect(driver.read(R.REG_VET)).toBe(0x8100);
    expect(driver.read(R.REG_PBA)).toBe(0x0010_0030);
  });

  it.each([
    ['13.6.7: WUPL', R.REG_WUPL, 0x0aaa],
    ['13.6.8: WUPM', R.REG_WUPM + 124, 0xaaaa_aaaa],
  ])('8254x %s can be written for diagnosis, and no reset clears it', (_, offset, kept) => {
    const { driver, mac } = new NicBench();
    expect(driver.read(offset)).toBe(0);
    driver.write(offset, 0xaaaa_aaaa);
    expect(driver.read(offset)).toBe(kept);
    driver.write(R.REG_CTRL, R.CTRL_RST);
    expect(driver.read(offset)).toBe(kept);
    mac.reset();
    expect(driver.read(offset)).toBe(kept);
  });

  it('8254x 13.4.6: EE_RST loads the station address again', () => {
    const { driver } = new NicBench();
    driver.write(R.REG_RAL0, 0);
    driver.write(R.REG_CTRL_EXT, R.CTRL_EXT_EE_RST);
    expect(driver.read(R.REG_CTRL_EXT) & R.CTRL_EXT_EE_RST).toBe(0);
    expect(driver.read(R.REG_RAL0)).toBe(0x1200_5452);
    expect(driver.read(R.REG_RAH0)).toBe(0x8000_5634);
  });

  it('8254x 13.4.16: PBA gives the receiver RXA KiB and the transmitter what is left of 64', () => {
    const { driver } = new NicBench();
    driver.write(R.REG_PBA, 0xffff_0028);
    expect(driver.read(R.REG_PBA)).toBe(0x0018_0028);
  });

  it('8254x 13.6: PME_STATUS of WUC is cleared by writing 1, and cannot be set', () => {
    const bench = new NicBench();
    bench.driver.write(R.REG_WUC, 0xffff_ffff);
    expect(bench.driver.read(R.REG_WUC)).toBe(0x0b);
    bench.mac.registers.set(R.REG_WUC, 0x0f);
    bench.driver.write(R.REG_WUC, 0x0f);
    expect(bench.driver.read(R.REG_WUC)).toBe(0x0b);
  });
});

describe('statistics', () => {
  it('8254x 13.7: a counter is cleared by its read', () => {
    const bench = new NicBench();
    bench.start();
    bench.port.deliver(ethernetFrame());
    expect(bench.driver.read(R.REG_GPRC)).toBe(1);
    expect(bench.driver.read(R.REG_GPRC)).toBe(0);
  });

  it('8254x 13.7.31: the read of the upper half clears both halves of an octet counter', () => {
    const bench = new NicBench();
    bench.start();
    bench.port.deliver(ethernetFrame({ length: 100 }));
    expect(bench.driver.read(R.REG_GORCL)).toBe(104);
    expect(bench.driver.read(R.REG_GORCL)).toBe(104);
    expect(bench.driver.read(R.REG_GORCH)).toBe(0);
    expect(bench.driver.read(R.REG_GORCL)).toBe(0);
  });

  it('8254x 13.7: a counter sticks at its largest value; octets carry into their upper half', () => {
    const bench = new NicBench();
    bench.start();
    bench.mac.registers.set(R.REG_GPRC, 0xffff_ffff);
    bench.mac.registers.set(R.REG_GORCL, 0xffff_fff0);
    bench.mac.registers.set(R.REG_TORL, 0xffff_fff0);
    bench.mac.registers.set(R.REG_TORH, 0xffff_ffff);
    bench.port.deliver(ethernetFrame({ length: 60 }));
    expect(bench.driver.read(R.REG_GPRC)).toBe(0xffff_ffff);
    expect(bench.driver.read(R.REG_GORCL)).toBe(0x30);
    expect(bench.driver.read(R.REG_GORCH)).toBe(1);
    expect(bench.driver.read(R.REG_TORL)).toBe(0xffff_ffff);
    expect(bench.driver.read(R.REG_TORH)).toBe(0xffff_ffff);
  });

  it.each([
    [60, R.REG_PRC64, R.REG_PTC64],
    [61, R.REG_PRC127, R.REG_PTC127],
    [123, R.REG_PRC127, R.REG_PTC127],
    [124, R.REG_PRC255, R.REG_PTC255],
    [251, R.REG_PRC255, R.REG_PTC255],
    [252, R.REG_PRC511, R.REG_PTC511],
    [508, R.REG_PRC1023, R.REG_PTC1023],
    [1019, R.REG_PRC1023, R.REG_PTC1023],
    [1020, R.REG_PRC1522, R.REG_PTC1522],
    [1514, R.REG_PRC1522, R.REG_PTC1522],
  ])('8254x 13.7.21: %i bytes without FCS fall into one size class', (length, received, sent) => {
    const bench = new NicBench();
    bench.start();
    bench.port.deliver(ethernetFrame({ length }));
    bench.driver.send(ethernetFrame({ length }));
    bench.run(50_000);
    const classes = [R.REG_PRC64, R.REG_PTC64].flatMap((first) =>
      [0, 4, 8, 12, 16, 20].map((at) => first + at),
    );
    expect(classes.filter((register) => bench.driver.read(register) === 1)).toEqual([received, sent]);
  });

  it('8254x 13.7: broadcast and multicast packets are counted apart, both ways', () => {
    const bench = new NicBench();
    bench.start();
    bench.driver.write(R.REG_RCTL, R.RCTL_EN | R.RCTL_BAM | R.RCTL_MPE | R.RCTL_UPE);
    for (const to of ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '02:00:00:00:00:09']) {
      bench.port.deliver(ethernetFrame({ to }));
      bench.driver.send(ethernetFrame({ to }));
    }
    bench.run(50_000);
    const registers = [
      R.REG_TPR,
      R.REG_GPRC,
      R.REG_BPRC,
      R.REG_MPRC,
      R.REG_TPT,
      R.REG_GPTC,
      R.REG_BPTC,
      R.REG_MPTC,
    ];
    expect(registers.map((register) => bench.driver.read(register))).toEqual([3, 3, 1, 1, 3, 3, 1, 1]);
    expect(bench.driver.read(R.REG_GOTCL)).toBe(3 * 68);
  });
});
