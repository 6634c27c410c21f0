// Numbers of the 9P transport (device ID 9; virtio 1.3 reserves the ID and defines nothing more) and of 9P2000.L.

export const P9_DEVICE_ID = 9;
/** The tag stands in configuration space: a length of 16 bits, then so many bytes. */
export const VIRTIO_9P_MOUNT_TAG = 0;

export const RLERROR = 7;
export const TSTATFS = 8;
export const TLOPEN = 12;
export const TLCREATE = 14;
export const TSYMLINK = 16;
export const TMKNOD = 18;
export const TRENAME = 20;
export const TREADLINK = 22;
export const TGETATTR = 24;
export const TSETATTR = 26;
export const TXATTRWALK = 30;
export const TXATTRCREATE = 32;
export const TREADDIR = 40;
export const TFSYNC = 50;
export const TLOCK = 52;
export const TGETLOCK = 54;
export const TLINK = 70;
export const TMKDIR = 72;
export const TRENAMEAT = 74;
export const TUNLINKAT = 76;
export const TVERSION = 100;
export const TAUTH = 102;
export const TATTACH = 104;
export const TFLUSH = 108;
export const TWALK = 110;
export const TREAD = 116;
export const TWRITE = 118;
export const TCLUNK = 120;
export const TREMOVE = 122;

/** Bytes of size, type and tag. */
export const HEADER = 7;
/** Bytes of an Rlerror, the smallest room that an answer may have. */
export const ERROR_SIZE = 11;
export const NO_TAG = 0xffff;
export const NO_FID = 0xffff_ffff;
/** Names in one walk. */
export const MAX_WALK = 16;
/** Bytes of a name. */
export const NAME_MAX = 255;
/** Bytes of the target of a symbolic link. */
export const PATH_MAX = 4095;

// Types of a qid.
export const QT_DIR = 0x80;
export const QT_SYMLINK = 0x02;

// Flags of Tlopen and Tlcreate: those of open(2) of Linux on most machines.
export const O_ACCMODE = 3;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_DSYNC = 0o10000;
export const O_DIRECTORY = 0o200000;
export const O_SYNC = 0o4010000;

/** Flag of Tunlinkat: a directory. */
export const AT_REMOVEDIR = 0x200;

// Type bits of a mode.
export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;

/** Rgetattr: mode to blocks. */
export const GETATTR_BASIC = 0x7ff;

// Tsetattr.
export const SETATTR_MODE = 0x1;
export const SETATTR_UID = 0x2;
export const SETATTR_GID = 0x4;
export const SETATTR_SIZE = 0x8;
export const SETATTR_ATIME = 0x10;
export const SETATTR_MTIME = 0x20;
export const SETATTR_ATIME_SET = 0x80;
export const SETATTR_MTIME_SET = 0x100;

export const LOCK_SUCCESS = 0;
export const LOCK_TYPE_UNLCK = 2;
