// Register offsets and bits of the 82540EM, by their names in the manual (chapter 13). Plain constants,
// shared by TypeScript and AssemblyScript.

// General
export const REG_CTRL = 0x0000;
export const REG_CTRL_DUP = 0x0004;
export const REG_STATUS = 0x0008;
export const REG_EECD = 0x0010;
export const REG_EERD = 0x0014;
export const REG_CTRL_EXT = 0x0018;
export const REG_MDIC = 0x0020;
export const REG_FCAL = 0x0028;
export const REG_FCAH = 0x002c;
export const REG_FCT = 0x0030;
export const REG_VET = 0x0038;
export const REG_FCTTV = 0x0170;
export const REG_TXCW = 0x0178;
export const REG_RXCW = 0x0180;
export const REG_LEDCTL = 0x0e00;
export const REG_PBA = 0x1000;

// Interrupts
export const REG_ICR = 0x00c0;
export const REG_ITR = 0x00c4;
export const REG_ICS = 0x00c8;
export const REG_IMS = 0x00d0;
export const REG_IMC = 0x00d8;

// Receive
export const REG_RCTL = 0x0100;
export const REG_FCRTL = 0x2160;
export const REG_FCRTH = 0x2168;
export const REG_RDFH = 0x2410;
export const REG_RDFT = 0x2418;
export const REG_RDFHS = 0x2420;
export const REG_RDFTS = 0x2428;
export const REG_RDFPC = 0x2430;
export const REG_RDBAL = 0x2800;
export const REG_RDBAH = 0x2804;
export const REG_RDLEN = 0x2808;
export const REG_RDH = 0x2810;
export const REG_RDT = 0x2818;
export const REG_RDTR = 0x2820;
export const REG_RXDCTL = 0x2828;
export const REG_RADV = 0x282c;
export const REG_RSRPD = 0x2c00;
export const REG_RXCSUM = 0x5000;
export const REG_MTA = 0x5200;
export const REG_RAL0 = 0x5400;
export const REG_RAH0 = 0x5404;
export const REG_VFTA = 0x5600;

// Transmit
export const REG_TCTL = 0x0400;
export const REG_TIPG = 0x0410;
export const REG_AIFS = 0x0458;
export const REG_TXDMAC = 0x3000;
export const REG_TDFH = 0x3410;
export const REG_TDFT = 0x3418;
export const REG_TDFHS = 0x3420;
export const REG_TDFTS = 0x3428;
export const REG_TDFPC = 0x3430;
export const REG_TDBAL = 0x3800;
export const REG_TDBAH = 0x3804;
export const REG_TDLEN = 0x3808;
export const REG_TDH = 0x3810;
export const REG_TDT = 0x3818;
export const REG_TIDV = 0x3820;
export const REG_TXDCTL = 0x3828;
export const REG_TADV = 0x382c;
export const REG_TSPMT = 0x3830;

// Statistics
export const REG_CRCERRS = 0x4000;
export const REG_MPC = 0x4010;
export const REG_RLEC = 0x4040;
export const REG_XONRXC = 0x4048;
export const REG_XONTXC = 0x404c;
export const REG_XOFFRXC = 0x4050;
export const REG_XOFFTXC = 0x4054;
export const REG_FCRUC = 0x4058;
export const REG_PRC64 = 0x405c;
export const REG_PRC127 = 0x4060;
export const REG_PRC255 = 0x4064;
export const REG_PRC511 = 0x4068;
export const REG_PRC1023 = 0x406c;
export const REG_PRC1522 = 0x4070;
export const REG_GPRC = 0x4074;
export const REG_BPRC = 0x4078;
export const REG_MPRC = 0x407c;
export const REG_GPTC = 0x4080;
export const REG_GORCL = 0x4088;
export const REG_GORCH = 0x408c;
export const REG_GOTCL = 0x4090;
export const REG_GOTCH = 0x4094;
export const REG_RNBC = 0x40a0;
export const REG_RUC = 0x40a4;
export const REG_ROC = 0x40ac;
export const REG_RJC = 0x40b0;
export const REG_TORL = 0x40c0;
export const REG_TORH = 0x40c4;
export const REG_TOTL = 0x40c8;
export const REG_TOTH = 0x40cc;
export const REG_TPR = 0x40d0;
export const REG_TPT = 0x40d4;
export const REG_PTC64 = 0x40d8;
export const REG_PTC127 = 0x40dc;
export const REG_PTC255 = 0x40e0;
export const REG_PTC511 = 0x40e4;
export const REG_PTC1023 = 0x40e8;
export const REG_PTC1522 = 0x40ec;
export const REG_MPTC = 0x40f0;
export const REG_BPTC = 0x40f4;
export const REG_TSCTC = 0x40f8;
export const REG_TSCTFC = 0x40fc;

// Wake-up and management
export const REG_WUC = 0x5800;
export const REG_WUFC = 0x5808;
export const REG_WUS = 0x5810;
export const REG_MANC = 0x5820;
export const REG_IPAV = 0x5838;
export const REG_IP4AT = 0x5840;
export const REG_IP6AT = 0x5880;
export const REG_WUPL = 0x5900;
export const REG_WUPM = 0x5a00;
export const REG_FFLT = 0x5f00;
export const REG_FFMT = 0x9000;
export const REG_FFVT = 0x9800;

// 13.8.x: packet buffer memory
export const PACKET_BUFFER_WINDOW = 0x10000;
export const PACKET_BUFFER_BYTES = 0x10000;

// CTRL (13.4.1)
export const CTRL_FD = 1 << 0;
export const CTRL_ASDE = 1 << 5;
export const CTRL_SLU = 1 << 6;
export const CTRL_SPEED_SHIFT = 8;
export const CTRL_SPEED_1000 = 2 << 8;
export const CTRL_FRCSPD = 1 << 11;
export const CTRL_FRCDPLX = 1 << 12;
export const CTRL_ADVD3WUC = 1 << 20;
export const CTRL_EN_PHY_PWR_MGMT = 1 << 21;
export const CTRL_RST = 1 << 26;
export const CTRL_RFCE = 1 << 27;
export const CTRL_TFCE = 1 << 28;
export const CTRL_VME = 1 << 30;
export const CTRL_PHY_RST = 0x8000_0000;

// STATUS (13.4.2)
export const STATUS_FD = 1 << 0;
export const STATUS_LU = 1 << 1;
export const STATUS_TXOFF = 1 << 4;
export const STATUS_SPEED_SHIFT = 6;
export const STATUS_ASDV_SHIFT = 8;

// EECD (13.4.3)
export const EECD_SK = 1 << 0;
export const EECD_CS = 1 << 1;
export const EECD_DI = 1 << 2;
export const EECD_DO = 1 << 3;
export const EECD_FWE_MASK = 3 << 4;
export const EECD_FWE_DISABLED = 1 << 4;
export const EECD_REQ = 1 << 6;
export const EECD_GNT = 1 << 7;
export const EECD_PRES = 1 << 8;

// EERD (13.4.4)
export const EERD_START = 1 << 0;
export const EERD_DONE = 1 << 4;

// CTRL_EXT (13.4.6)
export const CTRL_EXT_ASDCHK = 1 << 12;
export const CTRL_EXT_EE_RST = 1 << 13;

// MDIC (13.4.7)
export const MDIC_OP_MASK = 3 << 26;
export const MDIC_OP_WRITE = 1 << 26;
export const MDIC_OP_READ = 2 << 26;
export const MDIC_READY = 1 << 28;
export const MDIC_INTERRUPT = 1 << 29;
export const MDIC_ERROR = 1 << 30;

// Interrupt causes (13.4.17)
export const ICR_TXDW = 1 << 0;
export const ICR_TXQE = 1 << 1;
export const ICR_LSC = 1 << 2;
export const ICR_RXDMT0 = 1 << 4;
export const ICR_RXO = 1 << 6;
export const ICR_RXT0 = 1 << 7;
export const ICR_MDAC = 1 << 9;
export const ICR_PHYINT = 1 << 12;
export const ICR_TXD_LOW = 1 << 15;
export const ICR_SRPD = 1 << 16;

// RCTL (13.4.22)
export const RCTL_EN = 1 << 1;
export const RCTL_SBP = 1 << 2;
export const RCTL_UPE = 1 << 3;
export const RCTL_MPE = 1 << 4;
export const RCTL_LPE = 1 << 5;
export const RCTL_LBM_SHIFT = 6;
export const RCTL_LBM_MAC = 1 << 6;
export const RCTL_LBM_PHY = 3 << 6;
export const RCTL_RDMTS_SHIFT = 8;
export const RCTL_MO_SHIFT = 12;
export const RCTL_BAM = 1 << 15;
export const RCTL_BSIZE_SHIFT = 16;
export const RCTL_VFE = 1 << 18;
export const RCTL_CFIEN = 1 << 19;
export const RCTL_CFI = 1 << 20;
export const RCTL_DPF = 1 << 22;
export const RCTL_PMCF = 1 << 23;
export const RCTL_BSEX = 1 << 25;
export const RCTL_SECRC = 1 << 26;

// TCTL (13.4.33)
export const TCTL_EN = 1 << 1;
export const TCTL_PSP = 1 << 3;
export const TCTL_SWXOFF = 1 << 22;

// FCRTL (13.4.23)
export const FCRTL_XONE = 0x8000_0000;

// RDTR, RXDCTL, TXDCTL
export const RDTR_FPD = 0x8000_0000;
export const TXDCTL_LWTHRESH_SHIFT = 25;

// RAH (13.5.2)
export const RAH_AS_SHIFT = 16;
export const RAH_AV = 0x8000_0000;
export const RAR_COUNT = 16;

// RXCSUM (13.4)
export const RXCSUM_IPOFLD = 1 << 8;
export const RXCSUM_TUOFLD = 1 << 9;
export const RXCSUM_IPV6OFLD = 1 << 10;

// Transmit descriptors (3.3): bits of the command byte (DCMD, TUCMD) and of the status
export const TXD_EOP = 1 << 0;
export const TXD_IFCS = 1 << 1;
export const TXD_IC = 1 << 2;
export const TXD_TSE = 1 << 2;
export const TXD_RS = 1 << 3;
export const TXD_RPS = 1 << 4;
export const TXD_DEXT = 1 << 5;
export const TXD_VLE = 1 << 6;
export const TXD_IDE = 1 << 7;
export const TXD_STATUS_DD = 1 << 0;
export const TXD_DTYP_CONTEXT = 0;
export const TXD_DTYP_DATA = 1;
export const TUCMD_TCP = 1 << 0;
export const TUCMD_IP = 1 << 1;
export const TUCMD_TSE = 1 << 2;
export const POPTS_IXSM = 1 << 0;
export const POPTS_TXSM = 1 << 1;

// Receive descriptors (3.2.3)
export const RXD_STATUS_DD = 1 << 0;
export const RXD_STATUS_EOP = 1 << 1;
export const RXD_STATUS_IXSM = 1 << 2;
export const RXD_STATUS_VP = 1 << 3;
export const RXD_STATUS_TCPCS = 1 << 5;
export const RXD_STATUS_IPCS = 1 << 6;
export const RXD_STATUS_PIF = 1 << 7;
export const RXD_ERROR_CE = 1 << 0;
export const RXD_ERROR_TCPE = 1 << 5;
export const RXD_ERROR_IPE = 1 << 6;
export const RXD_ERROR_RXE = 1 << 7;

// Answers of the core's transmit()
export const TX_IDLE = 0;
export const TX_FRAME = 1;
export const TX_BUDGET = 2;
export const TX_FAULT = 3;
/** A whole packet was used up and nothing goes on the wire: the reason is in `dropReason`. */
export const TX_DROPPED = 4;

// Answers of the core's receive()
export const RX_DELIVERED = 0;
export const RX_STORED = 1;
export const RX_DROPPED = 2;
export const RX_XOFF = 3;

// Why a packet was dropped
export const DROP_NONE = 0;
export const DROP_FILTER = 1;
export const DROP_DISABLED = 2;
export const DROP_OVERSIZE = 3;
export const DROP_FIFO_FULL = 4;
export const DROP_DMA = 5;
export const DROP_PAUSE = 6;
export const DROP_MAC_CONTROL = 7;
export const DROP_TSO = 8;
export const DROP_FCS = 9;
export const DROP_EMPTY = 10;
export const DROP_VLAN = 11;

// Minimum and maximum bytes of a frame, without FCS and with it
export const MIN_FRAME = 60;
export const FCS_BYTES = 4;
export const MAX_FRAME_WITH_FCS = 1522;
/** 13.4.22: the largest packet with LPE set, with FCS. */
export const MAX_LONG_FRAME_WITH_FCS = 16384;
