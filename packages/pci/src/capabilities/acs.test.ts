import { AT_TRANSLATED, AT_UNTRANSLATED, DMA_ABORT, DMA_OK, type AddressType } from '@vmloom/device';
import { describe, expect, it } from 'vitest';
import { RootPort, SwitchDownstreamPort, SwitchUpstreamPort } from '../port.js';
import * as R from '../registers.js';
import { FakeFunction, FakeHost, RAM_BASE } from '../testing/index.js';
import { ACS } from './acs.js';

const one = new Uint8Array(4);

describe('access control services', () => {
  it('PCIe 7.7.11.2, 7.7.11.3: root and downstream ports have all but egress control, each switched by its own bit', () => {
    const host = new FakeHost();
    const root = host.root.plug(new RootPort());
    const upstream = root.plug(new SwitchUpstreamPort());
    const downstream = upstream.plug(new SwitchDownstreamPort());
    host.enumerate();
    for (const port of [root, downstream]) {
      const at = host.findExtendedCapability(port, R.EXTENDED_ACS);
      expect(host.configRead(port, at + 4, 4)).toBe(0x5f);
      host.configWrite(port, at + 6, 2, 0xffff);
      expect(host.configRead(port, at + 4, 4)).toBe(0x5f_005f);
    }
    expect(host.findExtendedCapability(upstream, R.EXTENDED_ACS)).toBe(0);
  });

  it('PCIe 6.12.1.1: translation blocking refuses requests that carry a translated address, and no others', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    const fn = port.plug(new FakeFunction());
    host.enumerate();
    host.enable(fn);
    const at = host.findExtendedCapability(port, R.EXTENDED_ACS);
    const ask = (addressType: AddressType): number => {
      const { requester, answer, translator } = fn.dma;
      const who = { requester, pasid: -1, privileged: false, addressType };
      translator.translate({ ...who, write: false, low: RAM_BASE, high: 0, length: 4 }, answer);
      return answer.status;
    };
    expect([ask(AT_UNTRANSLATED), ask(AT_TRANSLATED)]).toEqual([DMA_OK, DMA_OK]);
    host.configWrite(port, at + 6, 2, ACS.translationBlocking);
    expect([ask(AT_UNTRANSLATED), ask(AT_TRANSLATED)]).toEqual([DMA_OK, DMA_ABORT]);
  });

  it('PCIe 6.12.1.1, 2.2.9.1: a requester on a bus that the port does not claim is refused', () => {
    const host = new FakeHost();
    const port = host.root.plug(new RootPort());
    const fn = port.plug(new FakeFunction());
    host.enumerate();
    host.enable(fn);
    expect(fn.dma.read(RAM_BASE, 0, one)).toBe(DMA_OK);
    host.configWrite(port, R.SUBORDINATE_BUS, 1, 0);
    expect(fn.dma.read(RAM_BASE, 0, one)).toBe(DMA_ABORT);
  });
});
