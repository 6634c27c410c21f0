/** Whom the manual confirms. */
export type Verdict =
  | 'model'
  /** It leaves the value to the maker of the adapter, or undefined. */
  | 'either';

/** One point at which QEMU's e1000 and the model answer the same accesses differently. */
export interface Difference {
  /** `<register>: <aspect>`, as the probes name it. */
  readonly what: string;
  /** What QEMU 7.2 answers. */
  readonly qemu: string;
  /** What the model answers. */
  readonly model: string;
  /** The section of the 8254x manual that decides, and what it says where that is short. */
  readonly manual: string;
  readonly right: Verdict;
}

/** What differs, QEMU's answer, the model's, and the section that decides. */
type Row = readonly [what: string, qemu: string, model: string, manual: string];

/** The manual says what the model does. Power-on is without a wire; QEMU has its link up from the start. */
const MODEL_RIGHT: readonly Row[] = [
  [
    'CTRL: power-on',
    '0x140240',
    '0x300201',
    '13.4.1: FD is 1 and SLU 0 until software or the EEPROM sets it',
  ],
  [
    'STATUS: power-on',
    '0x80080783',
    '0x281',
    '13.4.2, 14.3: no link without SLU; bits 10, 19 and 31 are reserved',
  ],
  ['EECD: power-on', '0x188', '0x118', '13.4.3, 5.3.1: EE_GNT answers EE_REQ; FWE 00b is not allowed'],
  ['MDIC: power-on', '0x0', '0x10000000', '13.4.7: R is set while no access is under way'],
  ['LEDCTL: power-on', '0x602', '0x7068302', '13.4.15: 07068302h'],
  ['RXDCTL: power-on', '0x0', '0x10000', '13.4 RXDCTL: WTHRESH is 1'],
  ['TSPMT: power-on', '0x0', '0x1000400', '13.4.45: TSMT 0400h, TSPBP 0100h'],
  [
    'EEPROM: subsystem, word 0x0b',
    '0x100e',
    '0x1e',
    '5.6.8: the subsystem of the configuration space, which QEMU gives another value',
  ],
  [
    'EERD: without START',
    '0x54520010, 0x100',
    '0x54520010, 0x54520110',
    '13.4.4: START reads; without it DONE and the data stay',
  ],
  ['EECD: FWE', '0x1a8', '0x128', '13.4.3, 5.3.1: EE_GNT answers EE_REQ'],
  ['EECD: released', '0x198', '0x118', '13.4.3, 5.3.1: EE_GNT answers EE_REQ'],
  ['PHY 1: power-on', '0x794d', '0x7949', '13.4.7.1, 802.3 28.3.1: no link before the negotiation is over'],
  [
    'PHY 4: writable bits',
    '0xffff',
    '0xafff',
    "13.4.7.1, 802.3 28.2.4.1.3: acknowledge and bit 12 are not software's",
  ],
  [
    'PHY 5: power-on',
    '0x1e0',
    '0x0',
    '13.4.7.1, 802.3 28.2.4.1.4: nothing of the partner before the negotiation is over',
  ],
  ['PHY 6: power-on', '0x0', '0x4', '13.4.7.1, 802.3 28.2.4.1.5: the PHY can send next pages'],
  ['PHY 7: power-on', '0x0', '0x2001', '13.4.7.1: next page transmit, 2001h'],
  ['PHY 7: writable bits', '0x0', '0xb7ff', '13.4.7.1: next page transmit'],
  ['PHY 9: writable bits', '0xffff', '0xff00', '13.4.7.1, 802.3 40.5.1.1: bits 7:0 are reserved'],
  [
    'PHY 10: power-on',
    '0x3c00',
    '0x0',
    '13.4.7.1, 802.3 40.5.1.1: nothing of the partner before the negotiation is over',
  ],
  [
    'PHY 15: power-on',
    '0x0',
    '0x3000',
    '13.4.7.1, 802.3 22.2.4.4: 1000BASE-T; PHY 1 says that this register is there',
  ],
  [
    'PHY 16: power-on',
    '0x360',
    '0x368',
    '13.4.7.1: bit 3 is set since revision 3.1; 9:8 are 11b, for 11.4.1 has the PHY in Energy Detect+ until told otherwise',
  ],
  ['PHY 17: power-on', '0xac00', '0x0', '13.4.7.1: no link, so nothing is resolved'],
  ['PHY 18: writable bits', '0x0', '0xffff', '13.4.7.1: interrupt enable'],
  ['PHY 24: power-on', '0x0', '0x4100', '13.4.7.1: LED control, 4100h'],
  ['PHY 24: writable bits', '0x0', '0xffff', '13.4.7.1: LED control'],
  ['PHY 29: writable bits', '0x0', '0xffff', '13.4.7.1: page select'],
  ['PHY 30: writable bits', '0x0', '0xffff', '13.4.7.1: page data'],
  [
    'MDIC: registers answered with an error',
    '7 8 11 12 13 14 15 18 19 22 23 24 25 26 27 28 29 30 31',
    '',
    '13.4.7: E says that no PHY answered; this one answers for all 32',
  ],
  [
    'MDIC: another PHY',
    '0x543f0000',
    '0x58420000',
    '13.4.7: the fields hold the command that failed, not the one before it',
  ],
  ['ICS: settable causes', '0xffffffff', '0x1ffff', '13.4.19: causes 16:0'],
  ['ICS: a read', '0x84 x2', '0x0, 0x84', '13.4.19: write-only'],
  ['IMS: settable bits', '0xffffffff', '0x1ffff', '13.4.20: causes 16:0'],
  ['RDTR: FPD', '0x10, 0x0', '0x10, 0x80', '13.4.30: FPD is a receive timer interrupt at once'],
  [
    '82542 addresses: lead to',
    '',
    'CTRL FCRTL FCRTH RDBAL RDBAH RDLEN RDH RDT RDTR MTA RAL RAH VFTA TDBAL TDBAH TDLEN TDH TDT TIDV RDFH RDFT TDFH TDFT',
    '13.2: they are aliases',
  ],
  [
    'reserved addresses: answer',
    '0x5844-0x5854 step 8, 0x5b50, 0x5f04-0x5f14 step 8, 0x9004-0x93f4 step 8, 0x9804-0x9bf4 step 8',
    '',
    'Table 13-2: gaps of tables, and SWSM, which the 82540EM has not',
  ],
  ['CTRL: writable bits', '0xfbffffff', '0xd8fc1be9', '13.4.1'],
  ['CTRL_EXT: writable bits', '0x0', '0x3cccc', '13.4.6'],
  ['FCAL: writable bits', '0x0', '0xffffffff', '13.4.8; Linux tests it'],
  ['FCAH: writable bits', '0x0', '0xffff', '13.4.9; Linux tests it'],
  ['FCT: writable bits', '0x0', '0xffff', '13.4.10; Linux tests it'],
  ['VET: writable bits', '0xffffffff', '0xffff', '13.4.11; Linux tests it'],
  ['FCTTV: writable bits', '0x0', '0xffff', '13.4.12; Linux tests it'],
  ['TXCW: writable bits', '0x0', '0xc000ffff', '13.4.13; Linux tests it'],
  ['LEDCTL: writable bits', '0xffffffff', '0xcfcfcfcf', '13.4.15'],
  ['PBA: writable bits', '0xffffffff', '0x1007f', '13.4.16: TXA is read-only'],
  ['PBA: bits that depend on others', '0x0 x2', '0x260000, 0x5a0000', '13.4.16: TXA is what RXA leaves'],
  ['RCTL: writable bits', '0xffffffff', '0x6dfb3fe', '13.4.22; Linux tests it'],
  ['FCRTL: writable bits', '0x0', '0x8000fff8', '13.4.23'],
  ['FCRTH: writable bits', '0x0', '0xfff8', '13.4.24; Linux tests it'],
  ['RDBAL: writable bits', '0xffffffff', '0xfffffff0', '13.4.25: bits 3:0 read as 0; Linux tests it'],
  ['RXDCTL: writable bits', '0x0', '0x13f3f3f', '13.4 RXDCTL'],
  ['RSRPD: writable bits', '0x0', '0xfff', '13.4.32'],
  ['RXCSUM: writable bits', '0x0', '0x7ff', '13.4 RXCSUM'],
  ['RAH: writable bits', '0xffffffff x16', '0x8003ffff x16', '13.5.3; Linux tests it'],
  ['TCTL: writable bits', '0xffffffff', '0x13ffffa', '13.4.33; SWXOFF clears itself; Linux tests it'],
  ['TIPG: writable bits', '0x0', '0x3fffffff', '13.4.34; Linux tests it'],
  ['TXDMAC: writable bits', '0x0', '0x1', '13.4 TXDMAC'],
  ['TDBAL: writable bits', '0xffffffff', '0xfffffff0', '13.4.36: bits 3:0 read as 0; Linux tests it'],
  ['TIDV: writable bits', '0x0', '0xffff', '13.4.41; Linux tests it'],
  ['TXDCTL: writable bits', '0xffffffff', '0xff3f3f3f', '13.4.43'],
  ['TSPMT: writable bits', '0x0', '0xffffffff', '13.4.45'],
  ['WUC: writable bits', '0xffffffff', '0xb', '13.6.1: PME_STATUS is cleared by writing 1'],
  ['WUFC: writable bits', '0xffffffff', '0xf80ff', '13.6.2'],
  ['WUS: writable bits', '0xffffffff', '0x0', '13.6.3: the controller sets it, software clears'],
  ['MANC: writable bits', '0x0', '0xfff07', 'Table 13-2: R/W'],
  ['IPAV: writable bits', '0xffffffff', '0x1000f', '13.6.4'],
  ['WUPL: writable bits', '0x0', '0xfff', '13.6.7'],
  ['FCRUC: writable bits', '0xffffffff', '0x0', '13.7: counters are read-only'],
  [
    'CTRL.RST: leaves changed',
    'MDIC VET LEDCTL PBA ITR IMS RCTL RDBAL RDBAH RDLEN RDH RDT RDTR RADV MTA RAL RAH VFTA TCTL AIFS TDBAL TDBAH TDLEN TDH TDT TXDCTL TADV RDFH RDFT RDFHS RDFTS RDFPC TDFH TDFT TDFHS TDFTS TDFPC WUC WUFC WUS IPAV IP4AT IP6AT WUPM FFLT FFVT FCRUC',
    'WUPL WUPM',
    '13.4.1: a reset of all but WUPL and WUPM (13.6.7, 13.6.8)',
  ],
  ['CTRL.RST: causes left in ICR', '0x6', '0x0', '13.4.1'],
];

/** The manual lets both. */
const BOTH_ALLOWED: readonly Row[] = [
  [
    'PHY 25: writable bits',
    '0x0',
    '0xffff',
    '13.4.7.1: has no such register; IEEE 802.3 22.2.4 leaves 16 to 31 to the maker of the PHY',
  ],
  [
    'MANC: power-on',
    '0x222300',
    '0x0',
    '5.6, Table 13-2: the EEPROM decides; without ASF and SMBus nothing is enabled',
  ],
  [
    'EEPROM: compatibility and OEM, words 0x03 to 0x07',
    '0x0, 0xffff, 0x0 x3',
    '0x0, 0xffff x4',
    '5.6.2: the adapter maker decides',
  ],
  [
    'EEPROM: printed board number, words 0x08 and 0x09',
    '0x3000, 0x1000',
    '0x0 x2',
    '5.6: the adapter maker decides',
  ],
  ['EEPROM: initialization control 1, word 0x0a', '0x6403', '0x440b', '5.6.7: the adapter maker decides'],
  ['EEPROM: initialization control 2, word 0x0f', '0x3040', '0x3000', '5.6.12: the adapter maker decides'],
  [
    'EEPROM: words 0x10 to 0x1f',
    '0x8, 0x2000, 0x7e14, 0x48, 0x1000, 0xd8, 0x0, 0x2700, 0x6cc9, 0x3150, 0x722, 0x40b, 0x984, 0x0, 0xc000, 0x706',
    '0xffff x16',
    '5.6: of other members of the family, or the adapter maker decides',
  ],
  [
    'EEPROM: words 0x20 to 0x2f',
    '0x1008, 0x0, 0xf04, 0x7fff, 0x4d01, 0xffff x11',
    '0x0 x2, 0xffff x2, 0x0, 0xffff x11',
    '5.6: the adapter maker decides',
  ],
  [
    'EEPROM: words 0x30 to 0x3e',
    '0x100, 0x4000, 0x121c, 0xffff x12',
    '0xffff x15',
    '5.6: boot agent; there is none',
  ],
  [
    'EERD: a word behind the last',
    '0x4010',
    '0xffff4010',
    '13.4.4: does not say; the data line of the EEPROM idles high',
  ],
];

/** Every known difference. */
export const DIFFERENCES: readonly Difference[] = (
  [
    ['model', MODEL_RIGHT],
    ['either', BOTH_ALLOWED],
  ] as const
).flatMap(([right, rows]) =>
  rows.map(([what, qemu, model, manual]) => ({ what, qemu, model, manual, right })),
);
