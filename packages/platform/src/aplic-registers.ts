// AIA 1.0, 4.5: the control region of an interrupt domain.
export const DOMAINCFG = 0x0000;
export const SOURCECFG = 0x0000;
export const SOURCECFG_LAST = 0x0ffc;
export const MMSIADDRCFG = 0x1bc0;
export const MMSIADDRCFGH = 0x1bc4;
export const SMSIADDRCFG = 0x1bc8;
export const SMSIADDRCFGH = 0x1bcc;
export const SETIP = 0x1c00;
export const SETIPNUM = 0x1cdc;
export const IN_CLRIP = 0x1d00;
export const CLRIPNUM = 0x1ddc;
export const SETIE = 0x1e00;
export const SETIENUM = 0x1edc;
export const CLRIE = 0x1f00;
export const CLRIENUM = 0x1fdc;
export const SETIPNUM_LE = 0x2000;
export const GENMSI = 0x3000;
export const TARGET = 0x3000;
export const TARGET_LAST = 0x3ffc;
export const IDC = 0x4000;
export const IDC_SIZE = 32;

// 4.5.1
export const DOMAINCFG_FIXED = 0x8000_0000;
export const DOMAINCFG_IE = 1 << 8;
export const DOMAINCFG_DM = 1 << 2;

// 4.5.2
export const SOURCECFG_D = 1 << 10;
export const SOURCECFG_SM = 7;
export const SM_INACTIVE = 0;
export const SM_DETACHED = 1;
export const SM_EDGE1 = 4;
export const SM_EDGE0 = 5;
export const SM_LEVEL1 = 6;
export const SM_LEVEL0 = 7;

// 4.5.3 and 4.5.4
export const MSIADDRCFGH_L = 0x8000_0000;
export const LHXS_SHIFT = 20;
export const LHXW_SHIFT = 12;
export const MMSIADDRCFGH_FIELDS = 0x9f77_ffff;
export const SMSIADDRCFGH_FIELDS = 0x0070_0fff;

// 4.5.15 and 4.5.16
export const TARGET_HART_SHIFT = 18;
export const TARGET_GUEST_SHIFT = 12;
export const TARGET_HART = 0xfffc_0000;
export const TARGET_EIID = 0x7ff;
export const GENMSI_BUSY = 1 << 12;

// 4.8.1
export const IDELIVERY = 0x00;
export const IFORCE = 0x04;
export const ITHRESHOLD = 0x08;
export const TOPI = 0x18;
export const CLAIMI = 0x1c;
export const TOPI_IDENTITY_SHIFT = 16;
/** IPRIOLEN is 8. */
export const IPRIO = 0xff;
