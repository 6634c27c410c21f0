// Headers as they stand in a frame, and numbers in network byte order.
#pragma once

#include "netif.h"
#include "types.h"

// Frames start at even addresses, and all headers have even lengths.
#define PACKED __attribute__((packed, aligned(2)))

static inline u16 htons(u16 value) {
  return __builtin_bswap16(value);
}

static inline u32 htonl(u32 value) {
  return __builtin_bswap32(value);
}

#define ntohs htons
#define ntohl htonl

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806

struct ethernet_header {
  mac_address to, from;
  u16 type;
} PACKED;

// RFC 826, for Ethernet and IPv4
struct arp_packet {
  u16 hardware, protocol;
  u8 hardware_length, protocol_length;
  u16 operation;
  mac_address sender_mac;
  u32 sender_ip;
  mac_address target_mac;
  u32 target_ip;
} PACKED;

#define ARP_HARDWARE_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2

// RFC 791
struct ipv4_header {
  u8 version_words;
  u8 service;
  u16 total_length;
  u16 id;
  u16 fragment; // flags and offset
  u8 ttl;
  u8 protocol;
  u16 checksum;
  u32 from, to;
} PACKED;

#define IPV4_VERSION 4
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_FRAGMENT_MASK 0x3fff // more fragments follow, or this is not the first
#define IPV4_ICMP 1
#define IPV4_UDP 17

// RFC 792, echo and its reply
struct icmp_echo {
  u8 type, code;
  u16 checksum;
  u16 id, sequence;
} PACKED;

#define ICMP_ECHO_REPLY 0
#define ICMP_ECHO 8

// RFC 768
struct udp_header {
  u16 from, to;
  u16 length;
  u16 checksum;
} PACKED;

#define UDP_PAYLOAD_MAX (FRAME_MAX - sizeof(struct ethernet_header) - sizeof(struct ipv4_header) - sizeof(struct udp_header))
