/** What differs, QEMU 11.1's answer, the model's, and the section of the datasheet that decides or leaves it open. */
export type Row = readonly [what: string, qemu: string, model: string, manual: string];

/** Rows for one reason: lines of `what | QEMU | model`. */
function rows(manual: string, lines: string): Row[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => [...line.trim().split(' | '), manual] as unknown as Row);
}

/** Every point at which QEMU's igb and the model answer the script differently. */
export const DIFFERENCES: readonly Row[] = [
  ...rows(
    '8.2.1: LRST is reserved in this mode',
    `
    CTRL: power-on | 0x100209 | 0x100201
`,
  ),
  ...rows(
    '8.4.1: AUTO_RD says that the words were read; size and address bits are those of a 16 Kbit part',
    `
    EECD: power-on | 0x1110 | 0x2712
`,
  ),
  ...rows(
    '8.4.2: DONE while no read is under way',
    `
    EERD: power-on | 0x0 | 0x2
`,
  ),
  ...rows(
    '8.4.5: DONE while no write is under way',
    `
    EEWR: power-on | 0x0 | 0x2
`,
  ),
  ...rows(
    '8.4.x: configuration of the ports is done',
    `
    EEMNGCTL: power-on | 0x80000000 | 0x800c0000
`,
  ),
  ...rows(
    '8.2.4: R is set while no access is under way',
    `
    MDIC: power-on | 0x0 | 0x10000000
`,
  ),
  ...rows(
    '8.3: the address of PAUSE frames',
    `
    FCAL: power-on | 0x0 | 0xc28001
    FCAH: power-on | 0x0 | 0x100
`,
  ),
  ...rows(
    '8.3: 8808h',
    `
    FCT: power-on | 0x0 | 0x8808
`,
  ),
  ...rows(
    '8.10.2: BSIZEHEADER 4',
    `
    SRRCTL: power-on | 0x0 x16 | 0x400 x16
`,
  ),
  ...rows(
    '8.1.2: the register exists with a reset value; the other model reads 0',
    `
    RXCTL: power-on | 0x0 x16 | 0xa200 x16
    SWPBS: power-on | 0x0 | 0x14
    DTXMXSZRQ: power-on | 0x0 | 0x10
    DTXTCPFLGL: power-on | 0x0 | 0xff60ff6
    DTXTCPFLGH: power-on | 0x0 | 0xf7f
    DCA_CTRL: power-on | 0x0 | 0x1
`,
  ),
  ...rows(
    '8.10.9: the queue is off until software enables it; QEMU has queue 0 on',
    `
    RXDCTL: power-on | 0x2010000, 0x10000 x15 | 0x10000 x16
`,
  ),
  ...rows(
    '8.12.1: reserved bits 31:26 are 0',
    `
    TCTL: power-on | 0xa40400f8 | 0x400f8
`,
  ),
  ...rows(
    '8.12.13: the queue is off until software enables it; QEMU has queue 0 on',
    `
    TXDCTL: power-on | 0x2000000, 0x0 x15 | 0x0 x16
`,
  ),
  ...rows(
    '8.6.1: fields of the link are not modelled',
    `
    GCR: power-on | 0x6850200 | 0x40000
`,
  ),
  ...rows(
    '8.8.9 to 8.8.12: causes are set and unmasked by software; QEMU answers the old addresses only',
    `
    ICS: every cause | 0x0 x2 | 0x77d4fbfd, 0x0
    IMS: every cause | 0x0 x2 | 0x77d4fbfd, 0x0
    ICR: read while another cause is enabled | 0x0 x2 | 0x4 x2
    ICR: the same with NSICR | 0x0 x2 | 0x4, 0x0
    ICR: a write clears | 0x0 x2 | 0x10, 0x0
`,
  ),
  ...rows(
    '8.8.3: bits 31:30 are other causes and the TCP timer',
    `
    EIMS: set and clear | 0x1ffffff, 0x1fffffa | 0xc1ffffff, 0xc1fffffa
`,
  ),
  ...rows(
    'Table 6-1: words for software and the maker of the adapter; those not used read as FFFFh',
    `
    EEPROM: word 0xb | 0x10c9002e | 0x2e
    EEPROM: word 0x27 | 0x9e | 0xffff009e
    EEPROM: word 0x28 | 0xa2 | 0xffff00a2
    EEPROM: word 0x29 | 0xa6 | 0xffff00a6
    EEPROM: word 0x2c | 0xb2 | 0xffff00b2
    EEPROM: word 0x2d | 0xb6 | 0xffff00b6
    EEPROM: word 0x30 | 0x10000c2 | 0xffff00c2
    EEPROM: word 0x31 | 0x400000c6 | 0xffff00c6
    EEPROM: word 0x32 | 0x131f00ca | 0xffff00ca
    EEPROM: word 0x33 | 0x401300ce | 0xffff00ce
    EEPROM: word 0x34 | 0x10000d2 | 0xffff00d2
    EEPROM: word 0x35 | 0x400000d6 | 0xffff00d6
    EEPROM: word 0x3d | 0xe000f6 | 0xffff00f6
    EEPROM: word 0x3f | 0xc5d900fe | 0xacc000fe
`,
  ),
  ...rows(
    '802.3 28: nothing of the partner, no link, before negotiation is over',
    `
    PHY 1: power-on | 0x1821794d | 0x18217949
    PHY 5: power-on | 0x182507e0 | 0x18250000
    PHY 6: power-on | 0x18260005 | 0x18260004
    PHY 10: power-on | 0x182a3c00 | 0x182a0000
    PHY 17: power-on | 0x1831c000 | 0x18310000
`,
  ),
  ...rows(
    '8.2.4: the access is right, the PHY has a register there that reads 0',
    `
    PHY 11: power-on | 0x582b0000 | 0x182b0000
    PHY 12: power-on | 0x582c0000 | 0x182c0000
    PHY 13: power-on | 0x582d0000 | 0x182d0000
    PHY 14: power-on | 0x582e0000 | 0x182e0000
    PHY 20: power-on | 0x58340000 | 0x18340000
    PHY 21: power-on | 0x58350000 | 0x18350000
    PHY 22: power-on | 0x58360000 | 0x18360000
    PHY 23: power-on | 0x58370000 | 0x18370000
    PHY 24: power-on | 0x58380000 | 0x18380000
    PHY 26: power-on | 0x583a0000 | 0x183a0000
    PHY 27: power-on | 0x583b0000 | 0x183b0000
    PHY 28: power-on | 0x583c0000 | 0x183c0000
    PHY 29: power-on | 0x583d0000 | 0x183d0000
    PHY 30: power-on | 0x583e0000 | 0x183e0000
    PHY 31: power-on | 0x583f0000 | 0x183f0000
`,
  ),
  ...rows(
    '3.5.8: crossover by itself',
    `
    PHY 18: power-on | 0x18320000 | 0x18321000
`,
  ),
  ...rows(
    '8.2.4: E for an address without a PHY; address and register stay',
    `
    MDIC: another address | 0x583f0000 | 0x58400000
`,
  ),
  ...rows(
    '8.2 to 8.19: reserved and read-only bits of the register do not follow a write',
    `
    CTRL: writable bits | 0x5bffffff | 0x59fc1bed
    EEMNGCTL: writable bits | 0xffffffff | 0x0
    CTRL_EXT: writable bits | 0xffffcfff | 0x19feddfd
    FLA: writable bits | 0xffffffff | 0x37
    LEDCTL: writable bits | 0xffffffff | 0xcfcfcfcf
    GPIE: writable bits | 0xffffffff | 0xc0000f91
    EITR: writable bits | 0x7fffffff x25 | 0x7ffffffc x25
    IVAR: writable bits | 0xffffffff x8 | 0x9f9f9f9f x8
    IVAR_MISC: writable bits | 0xffffffff | 0x9f9f
    PBACL: writable bits | 0x1f | 0x0
    RCTL: writable bits | 0xfffffffd | 0x4fff3fc
    FCRTL: writable bits | 0x8000fff8 | 0x8000fff0
    FCRTH: writable bits | 0xfff8 | 0xfff0
    RXPBS: writable bits | 0xffffffff | 0x7f
    QDE: writable bits | 0xffffffff | 0xffff
    RXCSUM: writable bits | 0xffffffff | 0x3fff
    RLPML: writable bits | 0xffffffff | 0x3fff
    RFCTL: writable bits | 0xffffffff | 0xfffff
    RDBAL: writable bits | 0xffffffe0 x16 | 0xffffff80 x16
    SRRCTL: writable bits | 0xffffffff x16 | 0x8ff03f7f x16
    RXDCTL: writable bits | 0xfdffffff x16 | 0x1f1f1f x16
    RQDPC: writable bits | 0xffffffff, 0x0 x15 | 0x0 x16
    RAH: writable bits | 0xffffffff x16 | 0x83ffffff x16
    RAH(16): writable bits | 0xffffffff x8 | 0x83ffffff x8
    MRQC: writable bits | 0xffffffff | 0x1ff007f
    ETQF: writable bits | 0xffffffff x8 | 0xe40fffff x8
    TCTL: writable bits | 0xfffffffd | 0x37ffff8
    TCTL_EXT: writable bits | 0xffffffff | 0xffc00
    TIPG: writable bits | 0xffffffff | 0x3fffffff
    TXPBS: writable bits | 0xffffffff | 0x7f
    DTXCTL: writable bits | 0xffffffff | 0x7c
    TDBAL: writable bits | 0xffffffe0 x16 | 0xffffff80 x16
    TXCTL: writable bits | 0xffffffff x16 | 0xff002a20 x16
    TXDCTL: writable bits | 0xfdffffff x16 | 0x81f1f1f x16
    VT_CTL: writable bits | 0xffffffff | 0x70000380
    MBVFIMR: writable bits | 0xffffffff | 0xff
    VFRE: writable bits | 0xffffffff | 0xff
    VFTE: writable bits | 0xffffffff | 0xff
    VMOLR: writable bits | 0xffffffff x8 | 0xff833fff x8
    RPLOLR: writable bits | 0xffffffff | 0xc0000000
    VLVF: writable bits | 0xffffffff x32 | 0x801fffff x32
    VMVIR: writable bits | 0xffffffff x8 | 0xc000ffff x8
    DTXSWC: writable bits | 0xffffffff | 0x80ffffff
    FCRUC: writable bits | 0xffffffff | 0x0
    WUC: writable bits | 0xffffffff | 0x1b
    WUFC: writable bits | 0xffffffff | 0x1f80ff
    WUS: writable bits | 0xffffffff | 0x0
    MANC: writable bits | 0xffffffff | 0x0
    MANC2H: writable bits | 0xffffffff | 0x0
    MDEF: writable bits | 0xffffffff x8 | 0x0 x8
    IPAV: writable bits | 0xffffffff | 0x1000f
    WUPM: writable bits | 0xffffffff x32 | 0x0 x32
    FHFT: writable bits | 0xf x255, 0x0 | 0xffffffff x256
    FACTPS: writable bits | 0xffffffff | 0x0
    FWSM: writable bits | 0xffffffff | 0x0
    TSYNCTXCTL: writable bits | 0xffffffff | 0x10
    TXSTMPL: writable bits | 0xffffffff | 0x0
    TXSTMPH: writable bits | 0xffffffff | 0x0
    TSYNCRXCTL: writable bits | 0xffffffff | 0x1e
    RXSTMPL: writable bits | 0xffffffff | 0x0
    RXSTMPH: writable bits | 0xffffffff | 0x0
    RXSATRL: writable bits | 0xffffffff | 0x0
    RXSATRH: writable bits | 0xffffffff | 0x0
`,
  ),
  ...rows(
    '8.1.2: the register exists; the other model lacks it or does not read it back',
    `
    EEARBC: writable bits | 0x0 | 0xff
    CONNSW: writable bits | 0x0 | 0x7
    WDSTP: writable bits | 0x0 | 0x1ff0001
    IAM: writable bits | 0x0 | 0xffffffff
    EIAC: writable bits | 0x0 | 0x1ffffff
    EIAM: writable bits | 0x0 | 0xc1ffffff
    PSRTYPE: writable bits | 0x0 x8 | 0xe01ffffe x8
    RXCTL: writable bits | 0x0 x16 | 0xff00f2ef x16
    DVMOLR: writable bits | 0x0 x16 | 0xe0000000 x16
    UTA: writable bits | 0x0 x128 | 0xffffffff x128
    SAQF: writable bits | 0x0 x8 | 0xffffffff x8
    DAQF: writable bits | 0x0 x8 | 0xffffffff x8
    SPQF: writable bits | 0x0 x8 | 0xffff x8
    FTQF: writable bits | 0x0 x8 | 0xf80ff1ff x8
    IMIR: writable bits | 0x0 x8 | 0xe003ffff x8
    IMIREXT: writable bits | 0x0 x8 | 0xfffff x8
    IMIRVP: writable bits | 0x0 | 0xf
    SYNQF: writable bits | 0x0 | 0x1f
    SWPBS: writable bits | 0x0 | 0x7f
    DTXMXSZRQ: writable bits | 0x0 | 0xfff
    DTXTCPFLGL: writable bits | 0x0 | 0xfff0fff
    DTXTCPFLGH: writable bits | 0x0 | 0xfff
    TXSWC: writable bits | 0x0 | 0xffffffff
    VMRCTL: writable bits | 0x0 x4 | 0xf07 x4
    VMRVLAN: writable bits | 0x0 x4 | 0xffffffff x4
    VMRVM: writable bits | 0x0 x4 | 0xff x4
    SCCRL: writable bits | 0x0 | 0x3f7
    BSCTRH: writable bits | 0x0 | 0x3fffff
    MSCTRH: writable bits | 0x0 | 0x3fffff
    RTTDCS: writable bits | 0x0 | 0x400009
    RTTDQSEL: writable bits | 0x0 | 0xf
    RTTBCNRC: writable bits | 0x0 | 0x80ffffff
    FHFT_EXT: writable bits | 0x0 x128 | 0xffffffff x128
    DCA_CTRL: writable bits | 0x0 | 0x1f
    IOVCTL: writable bits | 0x0 | 0x1
`,
  ),
  ...rows(
    "8.10.8, 8.12.9: the head is hardware's alone",
    `
    RDH: writable bits | 0xffff x16 | 0x0 x16
    TDH: writable bits | 0xffff x16 | 0x0 x16
`,
  ),
];
