import { expect, it } from 'vitest';
import { Clock } from '@vmloom/device';
import { guestImage } from '@vmloom/guest';
import { Switch } from '@vmloom/net';
import { Station, etherFrame, macOf } from '@vmloom/net/testing';
import { FakeFunction, FakeHost } from '@vmloom/pci/testing';
import { Uart16550, UART_DATA, UART_LCR } from '@vmloom/platform';

it('pci in a page: a function is found, placed, and answers', () => {
  const host = new FakeHost();
  const fn = host.install(new FakeFunction());
  host.write(fn, 0, 8, 0x1234_5678);
  expect(host.read(fn, 0, 8)).toBe(0x1234_5678);
});

it('net in a page: a switch learns', () => {
  const lan = new Switch({ clock: new Clock() });
  const [a, b, c] = [new Station(lan.port()), new Station(lan.port()), new Station(lan.port())];
  a.send(etherFrame({ from: macOf(0), to: macOf(1) }));
  b.send(etherFrame({ from: macOf(1), to: macOf(0) }));
  expect([a, b, c].map((station) => station.received.length)).toEqual([1, 1, 1]);
});

it('platform in a page: the UART transmits', () => {
  const sent: number[] = [];
  const uart = new Uart16550({ clock: new Clock(), output: (byte) => sent.push(byte) });
  uart.write(UART_LCR, 1, 3); // 8 bits
  uart.write(UART_DATA, 1, 0x21);
  expect(sent).toEqual([0x21]);
});

it('guest in a page: the image is an ELF file for RISC-V', async () => {
  const elf = await guestImage('tiny');
  expect([...elf.subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
  expect(elf[18]).toBe(243);
});
