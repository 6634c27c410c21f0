import { describe, expect, it } from 'vitest';
import { counters, dumpedBytes, registers, selfTestParts, wordSum } from './ethtool.js';

describe("ethtool's output", () => {
  it('-t: each part with its result', () => {
    const text = `The test result is FAIL
The test extra info:
Register test  (offline)\t 40
Eeprom test    (offline)\t 0
Link test   (on/offline)\t 0`;
    expect([...selfTestParts(text)]).toEqual([
      ['register', 40],
      ['eeprom', 0],
      ['link', 0],
    ]);
  });

  it('-e: bytes in their order, and 8254x 5.6.35: the sum of the words', () => {
    const text = `Offset\t\tValues
------\t\t------
0x0000:\t\t52 54 00 01 
0x0010:\t\t68 65 `;
    const bytes = dumpedBytes(text);
    expect([...bytes]).toEqual([0x52, 0x54, 0, 1, 0x68, 0x65]);
    expect(wordSum(bytes)).toBe((0x5452 + 0x0100 + 0x6568) & 0xffff);
  });

  it('-S and -d: numbers by name', () => {
    expect(counters('NIC statistics:\n     rx_packets: 9\n     tx_packets: 19\n').get('tx_packets')).toBe(19);
    const text = `0x00000: CTRL (Device control register)  0x58300241
      Link reset:                        normal
0x02808: RDLEN (Receive desc length)     0x00001000`;
    expect([...registers(text)]).toEqual([
      ['CTRL', 0x58300241],
      ['RDLEN', 0x1000],
    ]);
  });
});
