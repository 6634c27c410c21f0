// Fields of the 82576's registers and descriptors, and the answers of the core, shared with AssemblyScript.

// CTRL (8.2.1)
export const CTRL_FD = 1 << 0;
export const CTRL_MASTER_DISABLE = 1 << 2;
export const CTRL_LRST = 1 << 3;
export const CTRL_SLU = 1 << 6;
export const CTRL_SPEED_SHIFT = 8;
export const CTRL_SPEED_1000 = 2 << 8;
export const CTRL_FRCSPD = 1 << 11;
export const CTRL_FRCDPLX = 1 << 12;
export const CTRL_ADVD3WUC = 1 << 20;
export const CTRL_RST = 1 << 26;
export const CTRL_RFCE = 1 << 27;
export const CTRL_TFCE = 1 << 28;
export const CTRL_VME = 1 << 30;
export const CTRL_PHY_RST = 0x8000_0000;

// STATUS (8.2.2)
export const STATUS_FD = 1 << 0;
export const STATUS_LU = 1 << 1;
export const STATUS_TXOFF = 1 << 4;
export const STATUS_SPEED_SHIFT = 6;
export const STATUS_ASDV_SHIFT = 8;
export const STATUS_PHYRA = 1 << 10;
export const STATUS_NUMVF_SHIFT = 14;
export const STATUS_IOV = 1 << 18;
export const STATUS_MASTER_ENABLE = 1 << 19;
export const STATUS_DMA_CLOCK = 0x8000_0000;

// CTRL_EXT (8.2.3)
export const CTRL_EXT_EE_RST = 1 << 13;
export const CTRL_EXT_PFRSTD = 1 << 14;
export const CTRL_EXT_IAME = 1 << 27;

// EECD, EERD, EEWR (8.4)
export const EECD_SK = 1 << 0;
export const EECD_CS = 1 << 1;
export const EECD_DI = 1 << 2;
export const EECD_DO = 1 << 3;
export const EECD_FWE_DISABLED = 1 << 4;
export const EECD_REQ = 1 << 6;
export const EECD_GNT = 1 << 7;
export const EECD_PRES = 1 << 8;
export const EECD_AUTO_RD = 1 << 9;
export const EECD_ADDR_BITS = 1 << 10;
export const EECD_SIZE_SHIFT = 11;
export const EERD_START = 1 << 0;
export const EERD_DONE = 1 << 1;
export const EERD_ADDRESS_SHIFT = 2;
export const EERD_DATA_SHIFT = 16;
export const EEMNGCTL_CFG_DONE = 1 << 18;
export const EEMNGCTL_DONE = 0x8000_0000;

// MDIC (8.2.4)
export const MDIC_OP_MASK = 3 << 26;
export const MDIC_OP_WRITE = 1 << 26;
export const MDIC_OP_READ = 2 << 26;
export const MDIC_READY = 1 << 28;
export const MDIC_INTERRUPT = 1 << 29;
export const MDIC_ERROR = 1 << 30;

// SWSM (8.16)
export const SWSM_SMBI = 1 << 0;
export const SWSM_SWESMBI = 1 << 1;

// ICR (8.8.9)
export const ICR_TXDW = 1 << 0;
export const ICR_LSC = 1 << 2;
export const ICR_RXSEQ = 1 << 3;
export const ICR_RXDMT0 = 1 << 4;
export const ICR_RXMISS = 1 << 6;
export const ICR_RXDW = 1 << 7;
export const ICR_VMMB = 1 << 8;
export const ICR_MDAC = 1 << 9;
export const ICR_PHYINT = 1 << 12;
export const ICR_TIMESYNC = 1 << 19;
export const ICR_MDDET = 1 << 28;
export const ICR_TCP_TIMER = 1 << 29;
export const ICR_DRSTA = 1 << 30;
export const ICR_INTA = 0x8000_0000;

// EICR (8.8.1) without MSI-X; with it, bits 24:0 are vectors
export const EICR_TCP_TIMER = 1 << 30;
export const EICR_OTHER = 0x8000_0000;
/** Vectors with MSI-X. */
export const VECTORS = 25;
export const VECTOR_MASK = 0x01ff_ffff;

// GPIE (7.3.2.11)
export const GPIE_NSICR = 1 << 0;
export const GPIE_MULTIPLE_MSIX = 1 << 4;
export const GPIE_LL_INTERVAL_SHIFT = 7;
export const GPIE_EIAME = 1 << 30;
export const GPIE_PBA = 0x8000_0000;

// EITR (8.8.12)
export const EITR_INTERVAL_MASK = 0x7ffc;
export const EITR_INTERVAL_SHIFT = 2;
export const EITR_LLI_EN = 1 << 15;
export const EITR_COUNTER_MASK = 0x7fe0_0000;
export const EITR_CNT_INGR = 0x8000_0000;

// IVAR
export const IVAR_VALID = 1 << 7;
export const IVAR_VECTOR = 0x1f;

// TCPTIMER (8.8.x)
export const TCPTIMER_KICK = 1 << 8;
export const TCPTIMER_COUNT_EN = 1 << 9;
export const TCPTIMER_FINISH = 1 << 10;
export const TCPTIMER_LOOP = 1 << 11;

// RCTL (8.10.1)
export const RCTL_EN = 1 << 1;
export const RCTL_SBP = 1 << 2;
export const RCTL_UPE = 1 << 3;
export const RCTL_MPE = 1 << 4;
export const RCTL_LPE = 1 << 5;
export const RCTL_LBM_SHIFT = 6;
export const RCTL_LBM_MASK = 3 << 6;
export const RCTL_LBM_MAC = 1 << 6;
export const RCTL_MO_SHIFT = 12;
export const RCTL_BAM = 1 << 15;
export const RCTL_BSIZE_SHIFT = 16;
export const RCTL_VFE = 1 << 18;
export const RCTL_CFIEN = 1 << 19;
export const RCTL_CFI = 1 << 20;
export const RCTL_PSP = 1 << 21;
export const RCTL_DPF = 1 << 22;
export const RCTL_PMCF = 1 << 23;
export const RCTL_SECRC = 1 << 26;

// SRRCTL (8.10.2)
export const SRRCTL_BSIZEPACKET_MASK = 0x7f;
export const SRRCTL_BSIZEHEADER_SHIFT = 8;
export const SRRCTL_BSIZEHEADER_MASK = 0x3f;
export const SRRCTL_RDMTS_SHIFT = 20;
export const SRRCTL_DESCTYPE_SHIFT = 25;
export const SRRCTL_DROP_EN = 0x8000_0000;
export const DESCTYPE_LEGACY = 0;
export const DESCTYPE_ONE_BUFFER = 1;
export const DESCTYPE_SPLIT = 2;
export const DESCTYPE_SPLIT_ALWAYS = 5;

// RXDCTL, TXDCTL
export const DCTL_ENABLE = 1 << 25;
export const DCTL_SWFLSH = 1 << 26;
export const TDWBAL_HEAD_WB = 1 << 0;

// TCTL, DTXCTL
export const TCTL_EN = 1 << 1;
export const TCTL_PSP = 1 << 3;
export const FCRTL_XONE = 0x8000_0000;

// RAH: pool select in bits 25:18, valid in 31
export const RAH_ASEL_SHIFT = 16;
export const RAH_POOL_SHIFT = 18;
export const RAH_AV = 0x8000_0000;
export const RAR_COUNT = 24;
export const RAR_FIRST_BANK = 16;

// RXCSUM
export const RXCSUM_IPOFLD = 1 << 8;
export const RXCSUM_TUOFLD = 1 << 9;
export const RXCSUM_CRCOFL = 1 << 11;
export const RXCSUM_IPPCSE = 1 << 12;
export const RXCSUM_PCSD = 1 << 13;

// RFCTL
export const RFCTL_IPV6_DIS = 1 << 10;
export const RFCTL_IPFRSP_DIS = 1 << 14;
export const RFCTL_LEF = 1 << 18;
export const RFCTL_SYNQFP = 1 << 19;

// MRQC
export const MRQC_MODE_MASK = 7;
export const MRQC_NONE = 0;
export const MRQC_RSS = 2;
export const MRQC_VMDQ = 3;
export const MRQC_VMDQ_RSS = 5;
export const MRQC_DEFAULT_QUEUE_SHIFT = 3;
export const MRQC_IPV4_TCP = 1 << 16;
export const MRQC_IPV4 = 1 << 17;
export const MRQC_IPV6_TCP_EX = 1 << 18;
export const MRQC_IPV6_EX = 1 << 19;
export const MRQC_IPV6 = 1 << 20;
export const MRQC_IPV6_TCP = 1 << 21;
export const MRQC_IPV4_UDP = 1 << 22;
export const MRQC_IPV6_UDP = 1 << 23;
export const MRQC_IPV6_UDP_EX = 1 << 24;

// Queue filters
export const ETQF_ENABLE = 1 << 26;
export const ETQF_1588 = 1 << 30;
export const ETQF_IMM_INT = 1 << 29;
export const ETQF_QUEUE_ENABLE = 0x8000_0000;
export const ETQF_QUEUE_SHIFT = 16;
export const ETQF_COUNT = 8;
export const FTQF_COUNT = 8;
export const FTQF_VF_BP = 1 << 15;
export const FTQF_QUEUE_SHIFT = 16;
export const FTQF_QUEUE_ENABLE = 1 << 8;
export const FTQF_VF_SHIFT = 12;
export const FTQF_1588 = 1 << 27;
export const FTQF_PROTOCOL_BP = 1 << 28;
export const FTQF_SOURCE_ADDRESS_BP = 1 << 29;
export const FTQF_DEST_ADDRESS_BP = 1 << 30;
export const FTQF_SOURCE_PORT_BP = 0x8000_0000;
export const SYNQF_ENABLE = 1 << 0;
export const SYNQF_QUEUE_SHIFT = 1;
export const IMIR_PORT_IM_EN = 1 << 16;
export const IMIR_PORT_BP = 1 << 17;
export const IMIREXT_SIZE_BP = 1 << 12;
export const IMIREXT_CTRL_SHIFT = 13;
export const IMIREXT_CTRL_BP = 1 << 19;

// VT_CTL, VMOLR, RPLOLR, VMVIR, DTXSWC
export const VT_CTL_DEFAULT_POOL_SHIFT = 7;
export const VMOLR_RLPML_MASK = 0x3fff;
export const VMOLR_LPE = 1 << 16;
export const VMOLR_RSSE = 1 << 17;
export const VMOLR_STRVLAN = 1 << 30;
export const VMOLR_STRCRC = 0x8000_0000;
export const VMVIR_DEFAULT = 1 << 30;
export const VMVIR_NEVER = 0x8000_0000;

// IEEE 1588
export const TSYNC_VALID = 1 << 0;
export const TSYNC_TYPE_SHIFT = 1;
export const TSYNC_ENABLED = 1 << 4;
export const TIMADJH_SIGN = 0x8000_0000;

// Transmit descriptors (7.2.2): bits of the command byte, DTYP, options
export const TXD_EOP = 1 << 0;
export const TXD_IFCS = 1 << 1;
export const TXD_IC = 1 << 2;
export const TXD_RS = 1 << 3;
export const TXD_DEXT = 1 << 5;
export const TXD_VLE = 1 << 6;
export const TXD_TSE = 1 << 7;
export const TXD_STATUS_DD = 1 << 0;
export const TXD_DTYP_CONTEXT = 2;
export const TXD_DTYP_DATA = 3;
/** Bit of the MAC field (19:18 of the command word): a time stamp is taken. */
export const TXD_TSTAMP = 1 << 19;
export const TUCMD_IPV4 = 1 << 1;
export const TUCMD_L4_SHIFT = 2;
export const TUCMD_L4_UDP = 0;
export const TUCMD_L4_TCP = 1;
export const TUCMD_L4_SCTP = 2;
export const POPTS_IXSM = 1 << 0;
export const POPTS_TXSM = 1 << 1;
export const TXD_IDX_SHIFT = 4;
export const TXD_CC = 1 << 7;

// Receive descriptors (7.1.4, 7.1.5)
export const RXD_STATUS_DD = 1 << 0;
export const RXD_STATUS_EOP = 1 << 1;
export const RXD_STATUS_IXSM = 1 << 2;
export const RXD_STATUS_VP = 1 << 3;
export const RXD_STATUS_UDPCS = 1 << 4;
export const RXD_STATUS_L4I = 1 << 5;
export const RXD_STATUS_IPCS = 1 << 6;
export const RXD_STATUS_PIF = 1 << 7;
export const RXD_STATUS_IPIDV = 1 << 9;
export const RXD_STATUS_UDPV = 1 << 10;
export const RXD_STATUS_LLINT = 1 << 11;
export const RXD_STATUS_TS = 1 << 16;
export const RXD_STATUS_LB = 1 << 18;
export const RXD_ERROR_HBO = 1 << 23;
export const RXD_ERROR_L4E = 1 << 29;
export const RXD_ERROR_IPE = 1 << 30;
export const RXD_ERROR_RXE = 0x8000_0000;
export const RXD_SPH = 1 << 15;
export const RXD_HDR_LEN_SHIFT = 5;
export const PACKET_IPV4 = 1 << 4;
export const PACKET_IPV4_OPTIONS = 1 << 5;
export const PACKET_IPV6 = 1 << 6;
export const PACKET_IPV6_EXTENSIONS = 1 << 7;
export const PACKET_TCP = 1 << 8;
export const PACKET_UDP = 1 << 9;
export const PACKET_SCTP = 1 << 10;
export const PACKET_NFS = 1 << 11;
export const PACKET_ETQF = 1 << 15;

// Answers of the core's transmit()
export const TX_IDLE = 0;
export const TX_FRAME = 1;
export const TX_BUDGET = 2;
export const TX_FAULT = 3;
/** A whole packet was used up and nothing is sent: the reason is in `dropReason`. */
export const TX_DROPPED = 4;

// Answers of the core's examine() and deliver()
export const RX_ACCEPTED = 0;
export const RX_DROPPED = 1;
/** A PAUSE frame: its time is in rxPauseTime; it goes further unless a drop reason is set. */
export const RX_PAUSE = 2;
export const RX_DELIVERED = 3;
export const RX_STORED = 4;

// What the address filters say of a frame without pools
export const FILTER_PASS = 0;
export const FILTER_PASS_INEXACT = 1;
export const FILTER_REJECT = 2;
export const FILTER_REJECT_VLAN = 3;

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
export const DROP_NO_DESCRIPTOR = 12;
export const DROP_TOO_MANY = 13;
export const DROP_QUEUE_OFF = 14;
export const DROP_SWITCH = 15;

// Minimum and maximum bytes of a frame, without FCS and with it
export const MIN_FRAME = 60;
export const FCS_BYTES = 4;
export const MAX_FRAME_WITH_FCS = 1522;
/** 7.2.1: the largest packet on the wire is 9.5 KiB. */
export const MAX_LONG_FRAME_WITH_FCS = 9728;
