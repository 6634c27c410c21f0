import type { RegisterDefinition as Definition } from '@vmloom/device';
import * as B from './register-bits.js';
import * as R from './register-map.js';
import { STATISTICS } from './statistics-table.js';

/** What reads and writes are counted under in the ledger. */
export type RegisterGroup =
  | 'general'
  | 'eeprom'
  | 'phy'
  | 'interrupt'
  | 'receive'
  | 'transmit'
  | 'filter'
  | 'statistics'
  | 'wakeup'
  | 'virtualization'
  | 'time'
  | 'pcie'
  | 'diagnostic';

export type RegisterDefinition = Definition<RegisterGroup>;

const FULL = 0xffff_ffff;
/** The causes that software may set and unmask (8.8.9). */
export const CAUSE_MASK = 0x77d4_fbfd;

/** A register of every queue; the first four have a second address 0x100 apart. */
const queue = (
  name: string,
  offset: number,
  mask: number,
  more: { reset?: number; read?: 'clear' } = {},
): RegisterDefinition => {
  const receive = offset < R.REG_TDBAL;
  return {
    name,
    offset,
    mask,
    count: R.QUEUES,
    stride: R.QUEUE_STRIDE,
    alias: receive
      ? offset - R.REG_RDBAL + R.REG_RX_QUEUE_ALIAS
      : offset - R.REG_TDBAL + R.REG_TX_QUEUE_ALIAS,
    aliasStride: R.QUEUE_ALIAS_STRIDE,
    aliasCount: R.QUEUE_ALIASES,
    group: receive ? 'receive' : 'transmit',
    ...more,
  };
};

const RECEIVE: readonly RegisterDefinition[] = [
  { name: 'RCTL', offset: R.REG_RCTL, mask: 0x04ff_f3fe, group: 'receive' },
  { name: 'FCRTL', offset: R.REG_FCRTL, mask: 0x8000_fff0, alias: 0x0168, group: 'receive' },
  { name: 'FCRTH', offset: R.REG_FCRTH, mask: 0x0000_fff0, alias: 0x0160, group: 'receive' },
  { name: 'RXPBS', offset: R.REG_RXPBS, mask: 0x7f, reset: 0x40, group: 'receive' },
  { name: 'QDE', offset: R.REG_QDE, mask: 0xffff, group: 'receive' },
  { name: 'FCRTV', offset: R.REG_FCRTV, mask: 0xffff, group: 'receive' },
  { name: 'PBRWAC', offset: R.REG_PBRWAC, mask: 0, group: 'receive' },
  {
    name: 'RXCSUM',
    offset: R.REG_RXCSUM,
    mask: 0x3fff,
    reset: B.RXCSUM_IPOFLD | B.RXCSUM_TUOFLD,
    group: 'receive',
  },
  { name: 'RLPML', offset: R.REG_RLPML, mask: 0x3fff, reset: 0x2600, group: 'receive' },
  { name: 'RFCTL', offset: R.REG_RFCTL, mask: 0x000f_ffff, group: 'receive' },
  { name: 'PSRTYPE', offset: R.REG_PSRTYPE, mask: 0xe01f_fffe, count: 8, group: 'receive' },
  queue('RDBAL', R.REG_RDBAL, 0xffff_ff80),
  queue('RDBAH', R.REG_RDBAH, FULL),
  // 8.10.7: a multiple of 128 is software's duty; bits 6:4 hold what is written.
  queue('RDLEN', R.REG_RDLEN, 0x000f_fff0),
  queue('SRRCTL', R.REG_SRRCTL, 0x8ff0_3f7f, { reset: 0x0000_0400 }),
  // 8.10.8: head is hardware's alone.
  queue('RDH', R.REG_RDH, 0),
  queue('RXCTL', R.REG_RXCTL, 0xff00_f2ef, { reset: 0xa200 }),
  queue('RDT', R.REG_RDT, 0xffff),
  queue('RXDCTL', R.REG_RXDCTL, 0x021f_1f1f, { reset: 0x0001_0000 }),
  queue('RQDPC', R.REG_RQDPC, 0, { read: 'clear' }),
  { name: 'DVMOLR', offset: R.REG_DVMOLR, mask: 0xe000_0000, count: 16, stride: 0x40, group: 'receive' },
];

const FILTERS: readonly RegisterDefinition[] = [
  { name: 'MTA', offset: R.REG_MTA, mask: FULL, count: 128, alias: 0x0200, group: 'filter' },
  { name: 'RAL', offset: R.REG_RAL0, mask: FULL, count: 16, stride: 8, alias: 0x0040, group: 'filter' },
  {
    name: 'RAH',
    offset: R.REG_RAH0,
    mask: 0x83ff_ffff,
    count: 16,
    stride: 8,
    alias: 0x0044,
    group: 'filter',
  },
  { name: 'RAL', offset: R.REG_RAL16, mask: FULL, count: 8, stride: 8, group: 'filter' },
  { name: 'RAH', offset: R.REG_RAH16, mask: 0x83ff_ffff, count: 8, stride: 8, group: 'filter' },
  { name: 'UTA', offset: R.REG_UTA, mask: FULL, count: 128, group: 'filter' },
  { name: 'VFTA', offset: R.REG_VFTA, mask: FULL, count: 128, alias: 0x0600, group: 'filter' },
  { name: 'MRQC', offset: R.REG_MRQC, mask: 0x01ff_007f, group: 'filter' },
  { name: 'RETA', offset: R.REG_RETA, mask: FULL, count: 32, group: 'filter' },
  { name: 'RSSRK', offset: R.REG_RSSRK, mask: FULL, count: 10, group: 'filter' },
  { name: 'SAQF', offset: R.REG_SAQF, mask: FULL, count: 8, group: 'filter' },
  { name: 'DAQF', offset: R.REG_DAQF, mask: FULL, count: 8, group: 'filter' },
  { name: 'SPQF', offset: R.REG_SPQF, mask: 0xffff, count: 8, group: 'filter' },
  { name: 'FTQF', offset: R.REG_FTQF, mask: 0xf80f_f1ff, count: 8, group: 'filter' },
  { name: 'IMIR', offset: R.REG_IMIR, mask: 0xe003_ffff, count: 8, group: 'filter' },
  { name: 'IMIREXT', offset: R.REG_IMIREXT, mask: 0x000f_ffff, count: 8, group: 'filter' },
  { name: 'IMIRVP', offset: R.REG_IMIRVP, mask: 0xf, group: 'filter' },
  { name: 'ETQF', offset: R.REG_ETQF, mask: 0xe40f_ffff, count: 8, group: 'filter' },
  { name: 'SYNQF', offset: R.REG_SYNQF, mask: 0x1f, group: 'filter' },
];

const TRANSMIT: readonly RegisterDefinition[] = [
  {
    name: 'TCTL',
    offset: R.REG_TCTL,
    mask: 0x037f_fffa,
    reset: B.TCTL_PSP | (0xf << 4) | (0x40 << 12),
    group: 'transmit',
  },
  {
    name: 'TCTL_EXT',
    offset: R.REG_TCTL_EXT,
    mask: 0x000f_fc00,
    reset: 0x40 | (0x42 << 10),
    group: 'transmit',
  },
  { name: 'TIPG', offset: R.REG_TIPG, mask: 0x3fff_ffff, reset: 0x0060_1008, group: 'transmit' },
  { name: 'SWPBS', offset: R.REG_SWPBS, mask: 0x7f, reset: 0x14, group: 'transmit' },
  { name: 'TXPBS', offset: R.REG_TXPBS, mask: 0x7f, reset: 0x28, group: 'transmit' },
  { name: 'DTXMXSZRQ', offset: R.REG_DTXMXSZRQ, mask: 0xfff, reset: 0x10, group: 'transmit' },
  { name: 'DTXCTL', offset: R.REG_DTXCTL, mask: 0x7c, reset: 0x44, group: 'transmit' },
  { name: 'DTXTCPFLGL', offset: R.REG_DTXTCPFLGL, mask: 0x0fff_0fff, reset: 0x0ff6_0ff6, group: 'transmit' },
  { name: 'DTXTCPFLGH', offset: R.REG_DTXTCPFLGH, mask: 0xfff, reset: 0xf7f, group: 'transmit' },
  queue('TDBAL', R.REG_TDBAL, 0xffff_ff80),
  queue('TDBAH', R.REG_TDBAH, FULL),
  queue('TDLEN', R.REG_TDLEN, 0x000f_fff0),
  queue('TDH', R.REG_TDH, 0),
  queue('TXCTL', R.REG_TXCTL, 0xff00_2a20, { reset: 0x2a00 }),
  queue('TDT', R.REG_TDT, 0xffff),
  queue('TXDCTL', R.REG_TXDCTL, 0x0e1f_1f1f),
  queue('TDWBAL', R.REG_TDWBAL, 0xffff_ffff),
  queue('TDWBAH', R.REG_TDWBAH, FULL),
];

const INTERRUPTS: readonly RegisterDefinition[] = [
  { name: 'ICR', offset: R.REG_ICR, mask: 0, alias: R.REG_ICR_ALIAS, group: 'interrupt' },
  { name: 'ICS', offset: R.REG_ICS, mask: 0, read: 'zero', alias: R.REG_ICS_ALIAS, group: 'interrupt' },
  { name: 'IMS', offset: R.REG_IMS, mask: 0, alias: R.REG_IMS_ALIAS, group: 'interrupt' },
  { name: 'IMC', offset: R.REG_IMC, mask: 0, read: 'zero', alias: R.REG_IMC_ALIAS, group: 'interrupt' },
  { name: 'IAM', offset: R.REG_IAM, mask: FULL, alias: R.REG_IAM_ALIAS, group: 'interrupt' },
  { name: 'GPIE', offset: R.REG_GPIE, mask: 0xc000_0f91, group: 'interrupt' },
  { name: 'EICS', offset: R.REG_EICS, mask: 0, read: 'zero', group: 'interrupt' },
  { name: 'EIMS', offset: R.REG_EIMS, mask: 0, group: 'interrupt' },
  { name: 'EIMC', offset: R.REG_EIMC, mask: 0, read: 'zero', group: 'interrupt' },
  { name: 'EIAC', offset: R.REG_EIAC, mask: B.VECTOR_MASK, group: 'interrupt' },
  { name: 'EIAM', offset: R.REG_EIAM, mask: 0xc1ff_ffff, group: 'interrupt' },
  { name: 'EICR', offset: R.REG_EICR, mask: 0, group: 'interrupt' },
  {
    name: 'EITR',
    offset: R.REG_EITR,
    mask: 0x7fff_fffc,
    reset: 'kept',
    count: B.VECTORS,
    group: 'interrupt',
  },
  { name: 'IVAR', offset: R.REG_IVAR, mask: 0x9f9f_9f9f, count: 8, group: 'interrupt' },
  { name: 'IVAR_MISC', offset: R.REG_IVAR_MISC, mask: 0x9f9f, group: 'interrupt' },
  { name: 'PBACL', offset: R.REG_PBACL, mask: 0, group: 'interrupt' },
];

const GENERAL: readonly RegisterDefinition[] = [
  {
    name: 'CTRL',
    offset: R.REG_CTRL,
    mask: 0xd9fc_1bed,
    reset: B.CTRL_FD | B.CTRL_SPEED_1000 | B.CTRL_ADVD3WUC,
    alias: R.REG_CTRL_DUP,
    group: 'general',
  },
  { name: 'STATUS', offset: R.REG_STATUS, mask: 0, group: 'general' },
  { name: 'EECD', offset: R.REG_EECD, mask: 0, group: 'eeprom' },
  { name: 'EERD', offset: R.REG_EERD, mask: 0x0000_fffc, group: 'eeprom' },
  { name: 'EEWR', offset: R.REG_EEWR, mask: 0xffff_fffc, group: 'eeprom' },
  { name: 'EEARBC', offset: R.REG_EEARBC, mask: 0xff, group: 'eeprom' },
  {
    name: 'EEMNGCTL',
    offset: R.REG_EEMNGCTL,
    mask: 0,
    reset: (B.EEMNGCTL_DONE | B.EEMNGCTL_CFG_DONE | (1 << 19)) >>> 0,
    group: 'eeprom',
  },
  { name: 'CTRL_EXT', offset: R.REG_CTRL_EXT, mask: 0x19fe_ddfd, group: 'general' },
  // 8.4.x: without a FLASH the register keeps what is written and no operation starts.
  { name: 'FLA', offset: R.REG_FLA, mask: 0x0000_0037, group: 'eeprom' },
  { name: 'MDIC', offset: R.REG_MDIC, mask: 0x2fff_ffff, reset: B.MDIC_READY, group: 'phy' },
  { name: 'FCAL', offset: R.REG_FCAL, mask: FULL, reset: 0x00c2_8001, group: 'general' },
  { name: 'FCAH', offset: R.REG_FCAH, mask: 0xffff, reset: 0x0100, group: 'general' },
  { name: 'FCT', offset: R.REG_FCT, mask: 0xffff, reset: 0x8808, group: 'general' },
  { name: 'CONNSW', offset: R.REG_CONNSW, mask: 0x7, group: 'general' },
  { name: 'VET', offset: R.REG_VET, mask: FULL, reset: 0x8100_8100, group: 'general' },
  { name: 'FCTTV', offset: R.REG_FCTTV, mask: 0xffff, group: 'general' },
  { name: 'LEDCTL', offset: R.REG_LEDCTL, mask: 0xcfcf_cfcf, reset: 0x0706_8302, group: 'general' },
  { name: 'WDSTP', offset: R.REG_WDSTP, mask: 0x01ff_0001, group: 'general' },
  { name: 'FRTIMER', offset: R.REG_FRTIMER, mask: 0, group: 'general' },
  { name: 'TCPTIMER', offset: R.REG_TCPTIMER, mask: 0x0aff, group: 'general' },
];

const WAKEUP: readonly RegisterDefinition[] = [
  { name: 'WUC', offset: R.REG_WUC, mask: 0x1b, group: 'wakeup' },
  { name: 'WUFC', offset: R.REG_WUFC, mask: 0x001f_80ff, group: 'wakeup' },
  { name: 'WUS', offset: R.REG_WUS, mask: 0, group: 'wakeup' },
  { name: 'MANC', offset: R.REG_MANC, mask: 0, group: 'wakeup' },
  { name: 'MANC2H', offset: R.REG_MANC2H, mask: 0, group: 'wakeup' },
  { name: 'MDEF', offset: R.REG_MDEF, mask: 0, count: 8, group: 'wakeup' },
  { name: 'IPAV', offset: R.REG_IPAV, mask: 0x0001_000f, group: 'wakeup' },
  { name: 'IP4AT', offset: R.REG_IP4AT, mask: FULL, count: 4, stride: 8, group: 'wakeup' },
  { name: 'IP6AT', offset: R.REG_IP6AT, mask: FULL, count: 4, group: 'wakeup' },
  { name: 'WUPL', offset: R.REG_WUPL, mask: 0, reset: 'kept', group: 'wakeup' },
  { name: 'WUPM', offset: R.REG_WUPM, mask: 0, reset: 'kept', count: 32, group: 'wakeup' },
  { name: 'FHFT', offset: R.REG_FHFT, mask: FULL, reset: 'kept', count: 256, group: 'wakeup' },
  { name: 'FHFT_EXT', offset: R.REG_FHFT_EXT, mask: FULL, reset: 'kept', count: 128, group: 'wakeup' },
];

const PCIE: readonly RegisterDefinition[] = [
  { name: 'GCR', offset: R.REG_GCR, mask: 0x0001_f03f, reset: 0x0004_0000, group: 'pcie' },
  { name: 'GSCL', offset: R.REG_GSCL, mask: FULL, count: 8, group: 'pcie' },
  { name: 'FACTPS', offset: R.REG_FACTPS, mask: 0, group: 'pcie' },
  { name: 'SWSM', offset: R.REG_SWSM, mask: 0x0b, group: 'pcie' },
  { name: 'FWSM', offset: R.REG_FWSM, mask: 0, group: 'pcie' },
  { name: 'SW_FW_SYNC', offset: R.REG_SW_FW_SYNC, mask: FULL, group: 'pcie' },
  { name: 'DCA_CTRL', offset: R.REG_DCA_CTRL, mask: 0x1f, reset: 1, group: 'pcie' },
  { name: 'IOVCTL', offset: R.REG_IOVCTL, mask: 1, group: 'pcie' },
];

/** Registers of pools and virtual functions that software of the physical function writes (8.14). */
const VIRTUALIZATION: readonly RegisterDefinition[] = [
  { name: 'VT_CTL', offset: R.REG_VT_CTL, mask: 0x7000_0380, group: 'virtualization' },
  { name: 'VMBMEM', offset: R.REG_VMBMEM, mask: FULL, count: 128, group: 'virtualization' },
  { name: 'P2VMAILBOX', offset: R.REG_P2VMAILBOX, mask: 0, count: 8, group: 'virtualization' },
  { name: 'V2PMAILBOX', offset: R.REG_V2PMAILBOX, mask: 0, count: 8, group: 'virtualization' },
  { name: 'MBVFICR', offset: R.REG_MBVFICR, mask: 0, group: 'virtualization' },
  { name: 'MBVFIMR', offset: R.REG_MBVFIMR, mask: 0xff, reset: 0xff, group: 'virtualization' },
  { name: 'VFLRE', offset: R.REG_VFLRE, mask: 0, group: 'virtualization' },
  { name: 'VFRE', offset: R.REG_VFRE, mask: 0xff, reset: 0xff, group: 'virtualization' },
  { name: 'VFTE', offset: R.REG_VFTE, mask: 0xff, reset: 0xff, group: 'virtualization' },
  {
    name: 'VMOLR',
    offset: R.REG_VMOLR,
    mask: 0xff83_3fff,
    reset: 0x8000_2600,
    count: 8,
    group: 'virtualization',
  },
  { name: 'RPLOLR', offset: R.REG_RPLOLR, mask: 0xc000_0000, reset: 0x8000_0000, group: 'virtualization' },
  { name: 'VLVF', offset: R.REG_VLVF, mask: 0x801f_ffff, count: 32, group: 'virtualization' },
  { name: 'VMVIR', offset: R.REG_VMVIR, mask: 0xc000_ffff, count: 8, group: 'virtualization' },
  { name: 'DTXSWC', offset: R.REG_DTXSWC, mask: 0x80ff_ffff, group: 'virtualization' },
  { name: 'WVBR', offset: R.REG_WVBR, mask: 0, read: 'clear', group: 'virtualization' },
  { name: 'LVMMC', offset: R.REG_LVMMC, mask: 0, read: 'clear', group: 'virtualization' },
  { name: 'MDFB', offset: R.REG_MDFB, mask: 0, group: 'virtualization' },
  { name: 'TXSWC', offset: R.REG_TXSWC, mask: FULL, group: 'virtualization' },
  { name: 'VMRCTL', offset: R.REG_VMRCTL, mask: 0x0f07, count: 4, group: 'virtualization' },
  { name: 'VMRVLAN', offset: R.REG_VMRVLAN, mask: FULL, count: 4, group: 'virtualization' },
  { name: 'VMRVM', offset: R.REG_VMRVM, mask: 0xff, count: 4, group: 'virtualization' },
  { name: 'SCCRL', offset: R.REG_SCCRL, mask: 0x3f7, group: 'virtualization' },
  { name: 'SCSTS', offset: R.REG_SCSTS, mask: 0, group: 'virtualization' },
  { name: 'BSCTRH', offset: R.REG_BSCTRH, mask: 0x003f_ffff, group: 'virtualization' },
  { name: 'MSCTRH', offset: R.REG_MSCTRH, mask: 0x003f_ffff, group: 'virtualization' },
  { name: 'BSCCNT', offset: R.REG_BSCCNT, mask: 0, group: 'virtualization' },
  { name: 'MSCCNT', offset: R.REG_MSCCNT, mask: 0, group: 'virtualization' },
  { name: 'RTTDCS', offset: R.REG_RTTDCS, mask: 0x0040_0009, group: 'virtualization' },
  { name: 'RTTDQSEL', offset: R.REG_RTTDQSEL, mask: 0xf, group: 'virtualization' },
  { name: 'RTTBCNRC', offset: R.REG_RTTBCNRC, mask: 0, group: 'virtualization' },
];

const TIME: readonly RegisterDefinition[] = [
  { name: 'TSYNCRXCFG', offset: R.REG_TSYNCRXCFG, mask: FULL, group: 'time' },
  { name: 'SYSTIML', offset: R.REG_SYSTIML, mask: FULL, group: 'time' },
  { name: 'SYSTIMH', offset: R.REG_SYSTIMH, mask: FULL, group: 'time' },
  { name: 'TIMINCA', offset: R.REG_TIMINCA, mask: FULL, group: 'time' },
  { name: 'TIMADJL', offset: R.REG_TIMADJL, mask: FULL, group: 'time' },
  { name: 'TIMADJH', offset: R.REG_TIMADJH, mask: FULL, group: 'time' },
  { name: 'TSYNCTXCTL', offset: R.REG_TSYNCTXCTL, mask: 0x10, group: 'time' },
  { name: 'TXSTMPL', offset: R.REG_TXSTMPL, mask: 0, group: 'time' },
  { name: 'TXSTMPH', offset: R.REG_TXSTMPH, mask: 0, group: 'time' },
  { name: 'TSYNCRXCTL', offset: R.REG_TSYNCRXCTL, mask: 0x1e, group: 'time' },
  { name: 'RXSTMPL', offset: R.REG_RXSTMPL, mask: 0, group: 'time' },
  { name: 'RXSTMPH', offset: R.REG_RXSTMPH, mask: 0, group: 'time' },
  { name: 'RXSATRL', offset: R.REG_RXSATRL, mask: 0, group: 'time' },
  { name: 'RXSATRH', offset: R.REG_RXSATRH, mask: 0, group: 'time' },
];

/** Table 8-1, with what the virtual functions' own windows do not bring (`vf/`). */
export const REGISTERS: readonly RegisterDefinition[] = [
  ...GENERAL,
  ...INTERRUPTS,
  ...RECEIVE,
  ...FILTERS,
  ...TRANSMIT,
  ...VIRTUALIZATION,
  ...STATISTICS,
  ...WAKEUP,
  ...PCIE,
  ...TIME,
];
