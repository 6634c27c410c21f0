// Numbers of the socket device (virtio 1.3, 5.10).

export const F_STREAM = 0;
export const F_NO_IMPLIED_STREAM = 2;

export const RX_QUEUE = 0;
export const TX_QUEUE = 1;
export const EVENT_QUEUE = 2;

export const HOST_CID = 2;

// 5.10.6: the header.
export const HDR_SRC_CID = 0;
export const HDR_DST_CID = 8;
export const HDR_SRC_PORT = 16;
export const HDR_DST_PORT = 20;
export const HDR_LEN = 24;
export const HDR_TYPE = 28;
export const HDR_OP = 30;
export const HDR_FLAGS = 32;
export const HDR_BUF_ALLOC = 36;
export const HDR_FWD_CNT = 40;
export const HDR_SIZE = 44;

export const OP_REQUEST = 1;
export const OP_RESPONSE = 2;
export const OP_RST = 3;
export const OP_SHUTDOWN = 4;
export const OP_RW = 5;
export const OP_CREDIT_UPDATE = 6;
export const OP_CREDIT_REQUEST = 7;

export const TYPE_STREAM = 1;

// 5.10.6.5: what a peer that shuts down will not do any more.
export const SHUTDOWN_RECEIVE = 1;
export const SHUTDOWN_SEND = 2;
export const SHUTDOWN_BOTH = 3;

export const EVENT_TRANSPORT_RESET = 0;
