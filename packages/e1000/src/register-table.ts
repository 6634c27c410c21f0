import type { ReadBehaviour, RegisterDefinition as Definition } from '@vmloom/device';
import * as R from './register-map.js';

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
  | 'diagnostic';

/** A register; `alias` is where the 82542 had it (13.2). */
export type RegisterDefinition = Definition<RegisterGroup>;

const FULL = 0xffff_ffff;
/** Interrupt causes 16:0; software may set and test the reserved ones among them too. */
export const CAUSE_MASK = 0x0001_ffff;

const counter = (name: string, offset: number, read: ReadBehaviour = 'clear'): RegisterDefinition => ({
  name,
  offset,
  mask: 0,
  read,
  group: 'statistics',
});

/** Table 13-2, for the 82540EM. */
export const REGISTERS: readonly RegisterDefinition[] = [
  // CTRL and MDIC, EECD, EERD, ICR to IMC have behaviour of their own besides (mac.ts).
  {
    name: 'CTRL',
    offset: R.REG_CTRL,
    mask: 0xd8fc_1be9,
    reset: R.CTRL_FD | R.CTRL_SPEED_1000 | R.CTRL_ADVD3WUC | R.CTRL_EN_PHY_PWR_MGMT,
    alias: R.REG_CTRL_DUP,
    group: 'general',
  },
  { name: 'STATUS', offset: R.REG_STATUS, mask: 0, group: 'general' },
  { name: 'EECD', offset: R.REG_EECD, mask: 0, group: 'eeprom' },
  { name: 'EERD', offset: R.REG_EERD, mask: 0x0000_ff00, group: 'eeprom' },
  { name: 'CTRL_EXT', offset: R.REG_CTRL_EXT, mask: 0x0003_cccc, group: 'general' },
  { name: 'MDIC', offset: R.REG_MDIC, mask: 0x2fff_ffff, reset: R.MDIC_READY, group: 'phy' },
  { name: 'FCAL', offset: R.REG_FCAL, mask: FULL, group: 'general' },
  { name: 'FCAH', offset: R.REG_FCAH, mask: 0xffff, group: 'general' },
  { name: 'FCT', offset: R.REG_FCT, mask: 0xffff, group: 'general' },
  { name: 'VET', offset: R.REG_VET, mask: 0xffff, reset: 0x8100, group: 'general' },
  { name: 'FCTTV', offset: R.REG_FCTTV, mask: 0xffff, group: 'general' },
  { name: 'TXCW', offset: R.REG_TXCW, mask: 0xc000_ffff, group: 'general' },
  { name: 'RXCW', offset: R.REG_RXCW, mask: 0, group: 'general' },
  { name: 'LEDCTL', offset: R.REG_LEDCTL, mask: 0xcfcf_cfcf, reset: 0x0706_8302, group: 'general' },
  { name: 'PBA', offset: R.REG_PBA, mask: 0x7f, reset: 0x0010_0030, group: 'general' },

  { name: 'ICR', offset: R.REG_ICR, mask: 0, read: 'clear', group: 'interrupt' },
  { name: 'ITR', offset: R.REG_ITR, mask: 0xffff, group: 'interrupt' },
  { name: 'ICS', offset: R.REG_ICS, mask: 0, read: 'zero', group: 'interrupt' },
  { name: 'IMS', offset: R.REG_IMS, mask: 0, group: 'interrupt' },
  { name: 'IMC', offset: R.REG_IMC, mask: 0, read: 'zero', group: 'interrupt' },

  { name: 'RCTL', offset: R.REG_RCTL, mask: 0x06df_b3fe, group: 'receive' },
  { name: 'FCRTL', offset: R.REG_FCRTL, mask: 0x8000_fff8, alias: 0x0168, group: 'receive' },
  { name: 'FCRTH', offset: R.REG_FCRTH, mask: 0x0000_fff8, alias: 0x0160, group: 'receive' },
  { name: 'RDBAL', offset: R.REG_RDBAL, mask: 0xffff_fff0, alias: 0x0110, group: 'receive' },
  { name: 'RDBAH', offset: R.REG_RDBAH, mask: FULL, alias: 0x0114, group: 'receive' },
  { name: 'RDLEN', offset: R.REG_RDLEN, mask: 0x000f_ff80, alias: 0x0118, group: 'receive' },
  { name: 'RDH', offset: R.REG_RDH, mask: 0xffff, alias: 0x0120, group: 'receive' },
  { name: 'RDT', offset: R.REG_RDT, mask: 0xffff, alias: 0x0128, group: 'receive' },
  { name: 'RDTR', offset: R.REG_RDTR, mask: 0xffff, alias: 0x0108, group: 'receive' },
  { name: 'RXDCTL', offset: R.REG_RXDCTL, mask: 0x013f_3f3f, reset: 0x0001_0000, group: 'receive' },
  { name: 'RADV', offset: R.REG_RADV, mask: 0xffff, group: 'receive' },
  { name: 'RSRPD', offset: R.REG_RSRPD, mask: 0x0fff, group: 'receive' },
  { name: 'RXCSUM', offset: R.REG_RXCSUM, mask: 0x07ff, group: 'receive' },

  { name: 'MTA', offset: R.REG_MTA, mask: FULL, count: 128, alias: 0x0200, group: 'filter' },
  { name: 'RAL', offset: R.REG_RAL0, mask: FULL, count: 16, stride: 8, alias: 0x0040, group: 'filter' },
  {
    name: 'RAH',
    offset: R.REG_RAH0,
    mask: 0x8003_ffff,
    count: 16,
    stride: 8,
    alias: 0x0044,
    group: 'filter',
  },
  { name: 'VFTA', offset: R.REG_VFTA, mask: FULL, count: 128, alias: 0x0600, group: 'filter' },

  { name: 'TCTL', offset: R.REG_TCTL, mask: 0x017f_fffa, group: 'transmit' },
  { name: 'TIPG', offset: R.REG_TIPG, mask: 0x3fff_ffff, group: 'transmit' },
  { name: 'AIFS', offset: R.REG_AIFS, mask: 0xffff, group: 'transmit' },
  { name: 'TXDMAC', offset: R.REG_TXDMAC, mask: 1, group: 'transmit' },
  { name: 'TDBAL', offset: R.REG_TDBAL, mask: 0xffff_fff0, alias: 0x0420, group: 'transmit' },
  { name: 'TDBAH', offset: R.REG_TDBAH, mask: FULL, alias: 0x0424, group: 'transmit' },
  { name: 'TDLEN', offset: R.REG_TDLEN, mask: 0x000f_ff80, alias: 0x0428, group: 'transmit' },
  { name: 'TDH', offset: R.REG_TDH, mask: 0xffff, alias: 0x0430, group: 'transmit' },
  { name: 'TDT', offset: R.REG_TDT, mask: 0xffff, alias: 0x0438, group: 'transmit' },
  { name: 'TIDV', offset: R.REG_TIDV, mask: 0xffff, alias: 0x0440, group: 'transmit' },
  { name: 'TXDCTL', offset: R.REG_TXDCTL, mask: 0xff3f_3f3f, group: 'transmit' },
  { name: 'TADV', offset: R.REG_TADV, mask: 0xffff, group: 'transmit' },
  { name: 'TSPMT', offset: R.REG_TSPMT, mask: FULL, reset: 0x0100_0400, group: 'transmit' },

  { name: 'RDFH', offset: R.REG_RDFH, mask: 0x1fff, alias: 0x8000, group: 'diagnostic' },
  { name: 'RDFT', offset: R.REG_RDFT, mask: 0x1fff, alias: 0x8008, group: 'diagnostic' },
  { name: 'RDFHS', offset: R.REG_RDFHS, mask: 0x1fff, group: 'diagnostic' },
  { name: 'RDFTS', offset: R.REG_RDFTS, mask: 0x1fff, group: 'diagnostic' },
  { name: 'RDFPC', offset: R.REG_RDFPC, mask: 0x1fff, group: 'diagnostic' },
  { name: 'TDFH', offset: R.REG_TDFH, mask: 0x07ff, alias: 0x8010, group: 'diagnostic' },
  { name: 'TDFT', offset: R.REG_TDFT, mask: 0x07ff, alias: 0x8018, group: 'diagnostic' },
  { name: 'TDFHS', offset: R.REG_TDFHS, mask: 0x1fff, group: 'diagnostic' },
  { name: 'TDFTS', offset: R.REG_TDFTS, mask: 0x1fff, group: 'diagnostic' },
  { name: 'TDFPC', offset: R.REG_TDFPC, mask: 0x1fff, group: 'diagnostic' },

  { name: 'WUC', offset: R.REG_WUC, mask: 0x0b, group: 'wakeup' },
  { name: 'WUFC', offset: R.REG_WUFC, mask: 0x000f_80ff, group: 'wakeup' },
  { name: 'WUS', offset: R.REG_WUS, mask: 0, group: 'wakeup' },
  { name: 'MANC', offset: R.REG_MANC, mask: 0x000f_ff07, group: 'wakeup' },
  { name: 'IPAV', offset: R.REG_IPAV, mask: 0x0001_000f, group: 'wakeup' },
  { name: 'IP4AT', offset: R.REG_IP4AT, mask: FULL, count: 4, stride: 8, group: 'wakeup' },
  { name: 'IP6AT', offset: R.REG_IP6AT, mask: FULL, count: 4, group: 'wakeup' },
  { name: 'WUPL', offset: R.REG_WUPL, mask: 0x0fff, reset: 'kept', group: 'wakeup' },
  { name: 'WUPM', offset: R.REG_WUPM, mask: FULL, reset: 'kept', count: 32, group: 'wakeup' },
  { name: 'FFLT', offset: R.REG_FFLT, mask: 0x07ff, count: 4, stride: 8, group: 'wakeup' },
  { name: 'FFMT', offset: R.REG_FFMT, mask: 0x0f, count: 128, stride: 8, group: 'wakeup' },
  { name: 'FFVT', offset: R.REG_FFVT, mask: FULL, count: 128, stride: 8, group: 'wakeup' },

  counter('CRCERRS', 0x4000),
  counter('ALGNERRC', 0x4004),
  counter('SYMERRS', 0x4008),
  counter('RXERRC', 0x400c),
  counter('MPC', R.REG_MPC),
  counter('SCC', 0x4014),
  counter('ECOL', 0x4018),
  counter('MCC', 0x401c),
  counter('LATECOL', 0x4020),
  counter('COLC', 0x4028),
  counter('DC', 0x4030),
  counter('TNCRS', 0x4034),
  counter('SEC', 0x4038),
  counter('CEXTERR', 0x403c),
  counter('RLEC', R.REG_RLEC),
  counter('XONRXC', R.REG_XONRXC),
  counter('XONTXC', R.REG_XONTXC),
  counter('XOFFRXC', R.REG_XOFFRXC),
  counter('XOFFTXC', R.REG_XOFFTXC),
  counter('FCRUC', R.REG_FCRUC),
  counter('PRC64', R.REG_PRC64),
  counter('PRC127', R.REG_PRC127),
  counter('PRC255', R.REG_PRC255),
  counter('PRC511', R.REG_PRC511),
  counter('PRC1023', R.REG_PRC1023),
  counter('PRC1522', R.REG_PRC1522),
  counter('GPRC', R.REG_GPRC),
  counter('BPRC', R.REG_BPRC),
  counter('MPRC', R.REG_MPRC),
  counter('GPTC', R.REG_GPTC),
  counter('GORCL', R.REG_GORCL, 'value'),
  counter('GORCH', R.REG_GORCH, 'clear64'),
  counter('GOTCL', R.REG_GOTCL, 'value'),
  counter('GOTCH', R.REG_GOTCH, 'clear64'),
  counter('RNBC', R.REG_RNBC),
  counter('RUC', R.REG_RUC),
  counter('RFC', 0x40a8),
  counter('ROC', R.REG_ROC),
  counter('RJC', R.REG_RJC),
  counter('MGTPRC', 0x40b4),
  counter('MGTPDC', 0x40b8),
  counter('MGTPTC', 0x40bc),
  counter('TORL', R.REG_TORL, 'value'),
  counter('TORH', R.REG_TORH, 'clear64'),
  counter('TOTL', R.REG_TOTL, 'value'),
  counter('TOTH', R.REG_TOTH, 'clear64'),
  counter('TPR', R.REG_TPR),
  counter('TPT', R.REG_TPT),
  counter('PTC64', R.REG_PTC64),
  counter('PTC127', R.REG_PTC127),
  counter('PTC255', R.REG_PTC255),
  counter('PTC511', R.REG_PTC511),
  counter('PTC1023', R.REG_PTC1023),
  counter('PTC1522', R.REG_PTC1522),
  counter('MPTC', R.REG_MPTC),
  counter('BPTC', R.REG_BPTC),
  counter('TSCTC', R.REG_TSCTC),
  counter('TSCTFC', R.REG_TSCTFC),
];
