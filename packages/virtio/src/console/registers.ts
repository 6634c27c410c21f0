// Numbers of the console device (virtio 1.3, 5.3).

export const CONSOLE_DEVICE_ID = 3;

// 5.3.3: feature bits.
export const VIRTIO_CONSOLE_F_SIZE = 0;
export const VIRTIO_CONSOLE_F_MULTIPORT = 1;
export const VIRTIO_CONSOLE_F_EMERG_WRITE = 2;

// 5.3.4: configuration space; offsets in bytes.
export const CONFIG_COLS = 0;
export const CONFIG_ROWS = 2;
export const CONFIG_MAX_NR_PORTS = 4;
export const CONFIG_EMERG_WR = 8;
export const CONFIG_SIZE = 12;

// 5.3.2: queues. Those of port n above 0 are 2 + 2n and 3 + 2n.
export const RECEIVE_0 = 0;
export const TRANSMIT_0 = 1;
export const CONTROL_RECEIVE = 2;
export const CONTROL_TRANSMIT = 3;

// 5.3.6.2: events of control messages.
export const VIRTIO_CONSOLE_DEVICE_READY = 0;
export const VIRTIO_CONSOLE_DEVICE_ADD = 1;
export const VIRTIO_CONSOLE_DEVICE_REMOVE = 2;
export const VIRTIO_CONSOLE_PORT_READY = 3;
export const VIRTIO_CONSOLE_CONSOLE_PORT = 4;
export const VIRTIO_CONSOLE_RESIZE = 5;
export const VIRTIO_CONSOLE_PORT_OPEN = 6;
export const VIRTIO_CONSOLE_PORT_NAME = 7;

/** Bytes of struct virtio_console_control. */
export const CONTROL = 8;
