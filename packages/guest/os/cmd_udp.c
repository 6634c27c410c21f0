// Datagrams that are answered, one by one.
#include "commands.h"
#include "console.h"
#include "print.h"
#include "string.h"
#include "timer.h"

#define ECHO_PORT 7
#define ECHO_SERVERS 4

static struct echo {
  struct udp_socket *socket;
  u64 packets, bytes;
} echoes[ECHO_SERVERS];
static u32 echo_count;

static void echo(struct udp_socket *socket, const struct udp_datagram *datagram) {
  // Two echo servers that answer each other would never stop; nor is anything said to everybody.
  if (datagram->from_port == datagram->to_port || datagram->to != datagram->netif->address) return;
  struct echo *own = socket->context;
  own->packets++;
  own->bytes += datagram->length;
  udp_reply(datagram, datagram->data, datagram->length);
}

bool cmd_udp_echo(int argc, char **argv) {
  u64 port = ECHO_PORT;
  if (argc > 2) return usage("udp-echo");
  if (argc == 2 && !parse_argument("udp-echo", "port", argv[1], 1, 65535, &port)) return false;
  struct echo *own = &echoes[echo_count];
  if (echo_count == ECHO_SERVERS || !(own->socket = udp_open((u16)port, echo, own))) {
    print("udp-echo: port %lu is in use, or there are too many servers\n", port);
    return false;
  }
  echo_count++;
  print("udp-echo: listening on port %lu\n", port);
  return true;
}

void print_echo_stats(void) {
  for (u32 i = 0; i < echo_count; i++) {
    print("udp_echo.%u.packets=%lu\n", echoes[i].socket->port, echoes[i].packets);
    print("udp_echo.%u.bytes=%lu\n", echoes[i].socket->port, echoes[i].bytes);
  }
}

// The address and port that many commands end with.
static bool parse_target(const char *command, int argc, char **argv, u32 *address, u64 *port) {
  if (argc < 1 || argc > 2 || !parse_ip(argv[0], address, 0)) return usage(command);
  return argc < 2 || parse_argument(command, "port", argv[1], 1, 65535, port);
}

static void print_reply(struct udp_socket *socket, const struct udp_datagram *datagram) {
  u64 *replies = socket->context;
  (*replies)++;
  print("udp-send: %u bytes from %s:%u: ", datagram->length, ip_text(datagram->from), datagram->from_port);
  for (u32 i = 0; i < datagram->length; i++) {
    u8 c = datagram->data[i];
    print("%c", c >= ' ' && c < 127 ? c : '.');
  }
  print("\n");
}

bool cmd_udp_send(int argc, char **argv) {
  u64 timeout_ms = 500, port = 0, replies = 0;
  u32 address;
  if (!parse_options(&argc, &argv, "t", &timeout_ms)) return false;
  if (argc != 3) return usage("udp-send");
  if (!parse_target("udp-send", 2, argv, &address, &port) || !reach("udp-send", address)) return false;
  struct udp_socket *socket = udp_open(0, print_reply, &replies);
  struct ip_packet packet;
  u8 *payload = socket ? udp_begin_wait(&packet, address, deadline_in_ms(timeout_ms)) : 0;
  if (payload) {
    u32 length = (u32)min_u64(strlen(argv[2]), UDP_PAYLOAD_MAX);
    memcpy(payload, argv[2], length);
    udp_end(&packet, socket->port, (u16)port, length);
    NET_WAIT_UNTIL(false, deadline_in_ms(timeout_ms));
  }
  if (socket) udp_close(socket);
  print("udp-send: %u sent, %lu received\n", payload ? 1 : 0, replies);
  return replies > 0;
}

#define RR_LOSSES_MAX 5 // in a row, before udp-rr gives up

static struct {
  u32 address;
  u64 sequence;
  bool answered;
  u64 answered_at;
} request;

static void on_response(struct udp_socket *socket, const struct udp_datagram *datagram) {
  (void)socket;
  u64 sequence;
  if (datagram->from != request.address || datagram->length < sizeof(sequence) || request.answered) return;
  memcpy(&sequence, datagram->data, sizeof(sequence));
  if (sequence != request.sequence) return;
  request.answered = true;
  request.answered_at = time_ns();
}

bool cmd_udp_rr(int argc, char **argv) {
  u64 options[] = {1000, 64, 1000}, port = ECHO_PORT;
  if (!parse_options(&argc, &argv, "nst", options)) return false;
  u64 count = options[0], size = options[1], timeout_ms = options[2];
  if (!parse_target("udp-rr", argc, argv, &request.address, &port)) return false;
  if (size < sizeof(request.sequence) || size > UDP_PAYLOAD_MAX) {
    print("udp-rr: the size goes from %lu to %lu\n", sizeof(request.sequence), UDP_PAYLOAD_MAX);
    return false;
  }
  if (!reach("udp-rr", request.address)) return false;
  struct udp_socket *socket = udp_open(0, on_response, 0);
  if (!socket) {
    print("udp-rr: no socket is left\n");
    return false;
  }
  struct summary summary = {0};
  u64 sent = 0;
  for (u32 losses = 0; sent < count && losses < RR_LOSSES_MAX && !console_interrupted(); sent++) {
    struct ip_packet packet;
    u64 deadline = deadline_in_ms(timeout_ms);
    u8 *payload = udp_begin_wait(&packet, request.address, deadline);
    if (!payload) break;
    memset(payload, 0, size);
    memcpy(payload, &sent, sizeof(sent));
    request.sequence = sent;
    request.answered = false;
    u64 start = time_ns();
    udp_end(&packet, socket->port, (u16)port, (u32)size);
    if (NET_WAIT_UNTIL(request.answered, deadline)) {
      summary_add(&summary, request.answered_at - start);
      losses = 0;
    } else {
      losses++;
    }
  }
  udp_close(socket);
  summary_print("udp-rr", sent, &summary);
  return summary.count == count;
}
