import { registers as P } from '@vmloom/pci';
import { describe, expect, it } from 'vitest';
import { PF } from '../queues.js';
import * as B from '../register-bits.js';
import * as R from '../register-map.js';
import { VirtualBench } from '../testing/virtual-bench.js';
import * as V from './vf-register-map.js';
import { MISBEHAVIOUR } from './virtual-functions.js';

const RX = (queue: number): number => queue * R.QUEUE_STRIDE;

function setup(count = 7): VirtualBench {
  const bench = new VirtualBench();
  bench.enable(count);
  bench.write(R.REG_CTRL_EXT, B.CTRL_EXT_PFRSTD);
  return bench;
}

describe('virtual functions on the bus', () => {
  it('82576 9.6.4: eight of them, 128 functions on and every second one; without ARI 384 on', () => {
    const { host, card, sriov } = setup();
    expect(sriov.places).toEqual({ total: 8, numVfs: 7, offset: 0x80, stride: 2 });
    expect(card.functions[6].address).toBe('01:11.4');
    expect(sriov.offset).toBe(0x160);
    const other = new VirtualBench();
    other.host.configWrite(other.card, 0x168, 2, 0);
    expect(other.sriov.places).toMatchObject({ offset: 0x180, stride: 2 });
    expect(host.findExtendedCapability(card, P.EXTENDED_ARI)).toBe(0x150);
  });

  it('82576 9.7: identity, BARs of 16 KiB, three MSI-X vectors, capabilities where the card has them', () => {
    const { host, card, sriov } = setup();
    const [fn] = card.functions;
    expect(sriov.read(0x1a)).toBe(0x10ca);
    expect([sriov.barSize(0), sriov.barSize(3)]).toEqual([0x4000, 0x4000]);
    expect([P.CAPABILITY_MSIX, P.CAPABILITY_EXPRESS].map((id) => host.findCapability(fn, id))).toEqual([
      0x70, 0xa0,
    ]);
    expect(host.configRead(fn, 0x72, 2) & 0x7ff).toBe(2);
    expect([P.EXTENDED_AER, P.EXTENDED_ARI].map((id) => host.findExtendedCapability(fn, id))).toEqual([
      0x100, 0x150,
    ]);
  });

  it('82576 8.2.2: STATUS says how many there are, to both kinds of functions, also after a reset', () => {
    const bench = setup(3);
    const shown = (3 << B.STATUS_NUMVF_SHIFT) | B.STATUS_IOV;
    const mask = (0xf << B.STATUS_NUMVF_SHIFT) | B.STATUS_IOV;
    expect(bench.read(R.REG_STATUS) & mask).toBe(shown);
    expect(bench.vfRead(0, V.VT_STATUS) & mask).toBe(shown);
    bench.write(R.REG_CTRL, B.CTRL_RST);
    expect(bench.read(R.REG_STATUS) & mask).toBe(shown);
    bench.sriov.disable();
    expect(bench.read(R.REG_STATUS) & mask).toBe(0);
  });

  it('82576 7.10.2.1: queues n and n + 8 are function n’s and use its way to memory, until it vanishes', () => {
    const { card, sriov } = setup(2);
    const { queues } = card.controller!;
    expect([0, 1, 2, 8, 9, 10].map((queue) => queues.ownerOf(queue))).toEqual([0, 1, PF, 0, 1, PF]);
    expect(queues.portOf(9).requester).toBe(card.functions[1].requester);
    sriov.disable();
    expect([0, 9].map((queue) => queues.ownerOf(queue))).toEqual([PF, PF]);
    expect(queues.portOf(9).requester).toBe(card.requester);
  });
});

describe('registers of a virtual function', () => {
  it('82576 8.26.1: its two queues are the controller’s n and n + 8', () => {
    const bench = setup();
    bench.vfWrite(2, 0x2800, 0x8000_1080);
    bench.vfWrite(2, 0x2908, 0x1000);
    bench.vfWrite(2, 0x3900, 0x8000_2000);
    bench.vfWrite(2, 0x380c + 0x1c, B.DCTL_ENABLE);
    expect(bench.read(R.REG_RDBAL + RX(2))).toBe(0x8000_1080);
    expect(bench.read(R.REG_RDLEN + RX(10))).toBe(0x1000);
    expect(bench.read(R.REG_TDBAL + RX(10))).toBe(0x8000_2000);
    expect(bench.read(R.REG_TXDCTL + RX(2))).toBe(B.DCTL_ENABLE);
    expect(bench.vfRead(2, 0x3900)).toBe(0x8000_2000);
  });

  it('82576 8.26: it reaches nothing else of the controller', () => {
    const bench = setup();
    const reachable = new Set<number>();
    for (let offset = 0; offset < V.VF_REGISTER_BYTES; offset += 4) {
      if (bench.vfRead(3, offset) !== 0) reachable.add(offset);
      bench.vfWrite(3, offset, offset === 0 || offset === 4 ? 0 : 0xffff_ffff);
    }
    const fresh = setup();
    for (const register of [R.REG_CTRL_EXT, R.REG_RCTL, R.REG_MRQC, R.REG_VT_CTL, R.REG_VFTE, R.REG_DTXSWC]) {
      expect(bench.read(register)).toBe(fresh.read(register));
    }
    for (const queue of [0, 1, 2, 4, 8, 12]) expect(bench.read(R.REG_RDLEN + RX(queue))).toBe(0);
    expect(bench.read(R.REG_RDLEN + RX(11))).not.toBe(0);
    expect(reachable).toContain(V.VT_STATUS);
  });

  it('82576 8.26.3: statistics are those of its pool, PSRTYPE its own', () => {
    const bench = setup();
    const { registers } = bench.card.controller!;
    registers.set(R.REG_VFGPRC + 4 * R.VF_STRIDE, 17);
    registers.set(R.REG_VFGOTLBC + 4 * R.VF_STRIDE, 18);
    expect(bench.vfRead(4, 0xf10)).toBe(17);
    expect(bench.vfRead(4, 0xf50)).toBe(18);
    bench.vfWrite(4, V.VT_PSRTYPE, 0x10);
    expect(registers.get(R.REG_PSRTYPE + 16)).toBe(0x10);
  });

  it('82576 8.1.1: narrow reads get a part, narrow writes are ignored', () => {
    const bench = setup();
    const [fn] = bench.card.functions;
    bench.vfWrite(0, V.VT_VMBMEM, 0x1234_5678);
    expect(bench.host.read(fn, 0, V.VT_VMBMEM + 2, 2)).toBe(0x1234);
    bench.host.write(fn, 0, V.VT_VMBMEM, 0, 1);
    expect(bench.vfRead(0, V.VT_VMBMEM)).toBe(0x1234_5678);
  });
});

describe('interrupts of a virtual function', () => {
  it('82576 8.26.2: bits 2:0 are vectors of its own; each is its own message', () => {
    const bench = setup();
    bench.vfWrite(0, V.VT_EICS, 1);
    bench.vfWrite(6, V.VT_EICS, 6);
    bench.messages();
    expect(bench.vfRead(0, V.VT_EICR)).toBe(0);
    bench.vfWrite(6, V.VT_EIAC, 0);
    bench.vfWrite(6, V.VT_EICS, 2);
    bench.messages();
    expect(bench.vfRead(6, V.VT_EICR)).toBe(2);
    expect(bench.vfRead(6, V.VT_EICR)).toBe(0);
  });

  it('82576 8.26.2: messages arrive in the name of the function', () => {
    const bench = setup();
    bench.vfWrite(0, V.VT_EICS, 1);
    bench.vfWrite(6, V.VT_EICS, 6);
    bench.host.run();
    expect(bench.host.messages.map(({ requester, data }) => [requester, data]).sort()).toEqual([
      [bench.card.functions[0].requester, 0],
      [bench.card.functions[6].requester, 97],
      [bench.card.functions[6].requester, 98],
    ]);
  });

  it('82576 8.26.2: one function masks and allocates nothing of another’s', () => {
    const bench = setup();
    bench.vfWrite(1, V.VT_EIMC, 0xffff_ffff);
    expect([0, 1, 2].map((vf) => bench.vfRead(vf, V.VT_EIMS))).toEqual([7, 0, 7]);
    bench.vfWrite(1, V.VT_EIMS, 0xffff_ffff);
    bench.vfWrite(1, V.VT_EIAM, 0xffff_ffff);
    expect([0, 1, 2].map((vf) => bench.vfRead(vf, V.VT_EIAM))).toEqual([0, 7, 0]);
    expect(bench.read(R.REG_EIMS) >>> 25).toBe(0);
  });

  it('82576 8.26.2.15: VTIVAR allocates both directions of both queues; a vector it lacks allocates nothing', () => {
    const bench = setup();
    bench.vfWrite(1, V.VT_IVAR, 0x8081_8280);
    const { interrupts } = bench.card.controller!;
    for (const [receive, transmit, vector] of [
      [1 << 1, 0, 0],
      [0, 1 << 1, 2],
      [1 << 9, 0, 1],
      [0, 1 << 9, 0],
    ] as const) {
      interrupts.queues(receive, transmit);
      expect(bench.messages()).toEqual([16 + vector]);
    }
    bench.vfWrite(1, V.VT_IVAR, 0x8383_8383);
    interrupts.queues(1 << 1, 1 << 9);
    expect(bench.messages()).toEqual([]);
    expect(bench.vfRead(1, V.VT_IVAR)).toBe(0x8383_8383);
  });

  it('82576 8.8.12: its EITRs are those of its vectors', () => {
    const bench = setup();
    bench.vfWrite(2, V.VT_EITR + 4, 100 << 2);
    bench.vfWrite(2, V.VT_EICS, 2);
    expect(bench.messages()).toEqual([33]);
    bench.vfWrite(2, V.VT_EICS, 2);
    expect(bench.messages(99_000)).toEqual([]);
    expect(bench.messages(1_000)).toEqual([33]);
  });
});

describe('reset', () => {
  it('82576 8.26.2.1: RST stops the function’s queues, and VFLRE and an interrupt tell the physical one', () => {
    const bench = setup();
    for (const vf of [1, 2]) {
      bench.vfWrite(vf, 0x2828, B.DCTL_ENABLE);
      bench.vfWrite(vf, 0x3828, B.DCTL_ENABLE);
    }
    bench.read(R.REG_ICR);
    bench.vfWrite(1, V.VT_CTRL, B.CTRL_RST);
    expect([9, 1, 2].map((queue) => bench.read(R.REG_RXDCTL + RX(queue)) & B.DCTL_ENABLE)).toEqual([
      0,
      0,
      B.DCTL_ENABLE,
    ]);
    expect([bench.read(R.REG_VFLRE), bench.read(R.REG_VFRE), bench.read(R.REG_VFTE)]).toEqual([
      2, 0xfd, 0xfd,
    ]);
    expect(bench.read(R.REG_ICR) & B.ICR_VMMB).toBe(B.ICR_VMMB);
    expect(bench.vfRead(1, V.VT_EIMS)).toBe(0);
    bench.write(R.REG_VFLRE, 2);
    expect(bench.read(R.REG_VFLRE)).toBe(0);
  });

  it('82576 4.2.2.3: function level reset does the same', () => {
    const bench = setup();
    const { host, card } = bench;
    bench.vfWrite(4, 0x3828, B.DCTL_ENABLE);
    host.configWrite(
      card.functions[4],
      host.findCapability(card.functions[4], P.CAPABILITY_EXPRESS) + 8,
      2,
      0x8000,
    );
    expect(bench.read(R.REG_TXDCTL + RX(4)) & B.DCTL_ENABLE).toBe(0);
    expect(bench.read(R.REG_VFLRE)).toBe(1 << 4);
    expect(card.functions[4].isPresent).toBe(true);
  });

  it('82576 7.10.2.10: a reset of the physical function shows as RSTI until PFRSTD, then once as RSTD', () => {
    const bench = setup();
    bench.vfRead(0, V.VT_MAILBOX);
    bench.write(R.REG_CTRL, B.CTRL_RST);
    expect(bench.vfRead(0, V.VT_MAILBOX)).toBe(V.MAILBOX_RSTI);
    expect(bench.vfRead(0, V.VT_MAILBOX)).toBe(V.MAILBOX_RSTI);
    bench.write(R.REG_CTRL_EXT, B.CTRL_EXT_PFRSTD);
    expect(bench.vfRead(0, V.VT_MAILBOX)).toBe(V.MAILBOX_RSTD);
    expect(bench.vfRead(0, V.VT_MAILBOX)).toBe(0);
  });

  it('fifty times enabled and disabled: nothing stays behind', () => {
    const bench = setup(1);
    for (let round = 0; round < 50; round++) {
      bench.sriov.disable();
      bench.enable(1 + (round % 8));
      bench.vfWrite(0, V.VT_EICS, 1);
      expect(bench.messages(1_000_000)).toEqual([0]);
    }
    bench.sriov.disable();
    expect(bench.read(R.REG_EIMS)).toBe(0);
    expect(bench.card.controller!.queues.ownerOf(0)).toBe(PF);
  });
});

describe('malicious driver detection', () => {
  it('82576 7.10.2.11: with MDP_EN a queue that misbehaves is blocked; MDFB, LVMMC and an interrupt tell', () => {
    const bench = setup();
    const { virtual } = bench.card;
    bench.vfWrite(3, 0x3928, B.DCTL_ENABLE);
    expect(virtual!.misbehaved(11, B.DROP_OVERSIZE)).toBe(false);
    bench.write(R.REG_DTXCTL, 1 << 5);
    bench.read(R.REG_ICR);
    expect(virtual!.misbehaved(11, B.DROP_FCS)).toBe(false);
    expect(virtual!.misbehaved(11, B.DROP_OVERSIZE)).toBe(true);
    expect(virtual!.misbehaved(3, B.DROP_DMA)).toBe(true);
    expect(bench.read(R.REG_TXDCTL + RX(11)) & B.DCTL_ENABLE).toBe(0);
    expect([bench.read(R.REG_MDFB), bench.read(R.REG_LVMMC), bench.read(R.REG_LVMMC)]).toEqual([
      1 << 3,
      MISBEHAVIOUR.size | (11 << 8),
      0,
    ]);
    expect(bench.read(R.REG_ICR) & B.ICR_MDDET).toBe(B.ICR_MDDET);
    bench.write(R.REG_MDFB, 1 << 3);
    expect(bench.read(R.REG_MDFB)).toBe(0);
  });
});

describe('snapshot', () => {
  it('functions, mailboxes, vectors and whose queues are come back on another host', () => {
    const bench = setup(3);
    bench.vfWrite(2, V.VT_IVAR, 0x80);
    bench.mailbox(1).virtual.send([1, 2, 3]);
    const saved = structuredClone({ clock: bench.host.clock.save(), root: bench.host.root.save() });
    const other = new VirtualBench();
    other.host.clock.restore(saved.clock);
    other.host.root.restore(saved.root);
    expect(other.host.root.save()).toEqual(saved.root);
    expect(other.mailbox(1).physical.receive(3)).toEqual([1, 2, 3]);
    expect(other.messages()).toEqual([16 + 2]);
    const { queues, interrupts } = other.card.controller!;
    expect([0, 2, 3, 10].map((queue) => queues.ownerOf(queue))).toEqual([0, 2, PF, 2]);
    expect(queues.portOf(10).requester).toBe(other.card.functions[2].requester);
    interrupts.queues(1 << 2, 0);
    expect(other.messages()).toEqual([32]);
  });
});
