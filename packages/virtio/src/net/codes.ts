// Numbers of the network device (virtio 1.3, 5.1).

// 5.1.3: feature bits.
export const F_CSUM = 0;
export const F_GUEST_CSUM = 1;
export const F_CTRL_GUEST_OFFLOADS = 2;
export const F_MTU = 3;
export const F_MAC = 5;
export const F_GUEST_TSO4 = 7;
export const F_GUEST_TSO6 = 8;
export const F_GUEST_ECN = 9;
export const F_HOST_TSO4 = 11;
export const F_HOST_TSO6 = 12;
export const F_HOST_ECN = 13;
export const F_MRG_RXBUF = 15;
export const F_STATUS = 16;
export const F_CTRL_VQ = 17;
export const F_CTRL_RX = 18;
export const F_CTRL_VLAN = 19;
export const F_CTRL_RX_EXTRA = 20;
export const F_GUEST_ANNOUNCE = 21;
export const F_MQ = 22;
export const F_CTRL_MAC_ADDR = 23;
export const F_VQ_NOTF_COAL = 52;
export const F_NOTF_COAL = 53;
export const F_GUEST_USO4 = 54;
export const F_GUEST_USO6 = 55;
export const F_HOST_USO = 56;
export const F_HASH_REPORT = 57;
export const F_GUEST_HDRLEN = 59;
export const F_RSS = 60;
export const F_SPEED_DUPLEX = 63;

// 5.1.4: configuration space.
export const CONFIG_MAC = 0;
export const CONFIG_STATUS = 6;
export const CONFIG_MAX_PAIRS = 8;
export const CONFIG_MTU = 10;
export const CONFIG_SPEED = 12;
export const CONFIG_DUPLEX = 16;
export const CONFIG_RSS_KEY = 17;
export const CONFIG_RSS_TABLE = 18;
export const CONFIG_HASH_TYPES = 20;
export const CONFIG_SIZE = 24;
export const STATUS_LINK_UP = 1;
export const STATUS_ANNOUNCE = 2;

// 5.1.6: what stands before each packet.
export const HDR_FLAGS = 0;
export const HDR_GSO_TYPE = 1;
export const HDR_LENGTH = 2;
export const HDR_GSO_SIZE = 4;
export const HDR_CSUM_START = 6;
export const HDR_CSUM_OFFSET = 8;
export const HDR_NUM_BUFFERS = 10;
export const HDR_HASH_VALUE = 12;
export const HDR_HASH_REPORT = 16;
/** Of a legacy driver without MRG_RXBUF; of all others; with HASH_REPORT. */
export const HDR_LEGACY_SIZE = 10;
export const HDR_SIZE = 12;
export const HDR_HASH_SIZE = 20;
export const HDR_F_NEEDS_CSUM = 1;
export const HDR_F_DATA_VALID = 2;
export const GSO_NONE = 0;
export const GSO_TCPV4 = 1;
export const GSO_TCPV6 = 4;
export const GSO_UDP_L4 = 5;
export const GSO_ECN = 0x80;

// 5.1.6.5: commands, class and number.
export const CTRL_RX = 0;
export const CTRL_RX_PROMISC = 0;
export const CTRL_RX_ALLMULTI = 1;
export const CTRL_RX_ALLUNI = 2;
export const CTRL_RX_NOMULTI = 3;
export const CTRL_RX_NOUNI = 4;
export const CTRL_RX_NOBCAST = 5;
export const CTRL_MAC = 1;
export const CTRL_MAC_TABLE_SET = 0;
export const CTRL_MAC_ADDR_SET = 1;
export const CTRL_VLAN = 2;
export const CTRL_VLAN_ADD = 0;
export const CTRL_VLAN_DEL = 1;
export const CTRL_ANNOUNCE = 3;
export const CTRL_ANNOUNCE_ACK = 0;
export const CTRL_MQ = 4;
export const CTRL_MQ_VQ_PAIRS_SET = 0;
export const CTRL_MQ_RSS_CONFIG = 1;
export const CTRL_MQ_HASH_CONFIG = 2;
export const CTRL_GUEST_OFFLOADS = 5;
export const CTRL_GUEST_OFFLOADS_SET = 0;
export const CTRL_NOTF_COAL = 6;
export const CTRL_NOTF_COAL_TX_SET = 0;
export const CTRL_NOTF_COAL_RX_SET = 1;
export const CTRL_NOTF_COAL_VQ_SET = 2;
export const CTRL_NOTF_COAL_VQ_GET = 3;
export const CTRL_OK = 0;
export const CTRL_ERR = 1;

// 5.1.6.4.3: hash types, as bits; a report is the number of the bit plus 1.
export const HASH_IPV4 = 1 << 0;
export const HASH_TCPV4 = 1 << 1;
export const HASH_UDPV4 = 1 << 2;
export const HASH_IPV6 = 1 << 3;
export const HASH_TCPV6 = 1 << 4;
export const HASH_UDPV6 = 1 << 5;
export const HASH_IP_EX = 1 << 6;
export const HASH_TCP_EX = 1 << 7;
export const HASH_UDP_EX = 1 << 8;
export const HASH_ALL = 0x1ff;
/** Bytes of the longest key: what an IPv6 flow needs (36) and 32 bits behind it. */
export const RSS_KEY_SIZE = 40;
export const RSS_TABLE_LENGTH = 128;
