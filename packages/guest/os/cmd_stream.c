// One-way streams: the sender numbers its datagrams, the sink counts them, and at the end tells the
// sender how many arrived.
#include "commands.h"
#include "console.h"
#include "print.h"
#include "string.h"
#include "timer.h"

#define SINK_PORT 9
#define SINKS 4
#define SINK_WAIT_MS 30000
#define BATCH 32 // datagrams sent before we look at what has been received
#define END_TRIES 5
#define END_INTERVAL_MS 200
#define STALL_MS 2000 // a ring that stays full for so long is stuck

enum kind { DATA, END, REPORT };

#define MAGIC 0x766c // "vl"

// At the start of each datagram of a stream; multi-byte numbers are big-endian.
struct stream_header {
  u16 magic, kind;
  u32 stream;   // tells one stream from the next
  u64 sequence; // of DATA: from 0; of END: how many were sent; of REPORT: how many arrived
} PACKED;

static struct sink {
  struct udp_socket *socket;
  u64 packets, bytes;                                      // of all streams
  u32 stream;                                              // the current one, and what came of it
  u64 stream_packets, stream_bytes, first_ns, last_ns, lost;
  bool ended;
} sinks[SINKS];
static u32 sink_count;

static void send_control(enum kind kind, u32 to, u16 from_port, u16 to_port, u32 stream, u64 sequence) {
  struct ip_packet packet;
  u8 *payload = udp_begin(&packet, 0, to);
  if (!payload) return; // the other side will ask again, or we will
  *(struct stream_header *)payload =
    (struct stream_header){htons(MAGIC), htons(kind), htonl(stream), __builtin_bswap64(sequence)};
  udp_end(&packet, from_port, to_port, sizeof(struct stream_header));
}

// The header of a stream's datagram, or 0.
static const struct stream_header *header_of(const struct udp_datagram *datagram) {
  const struct stream_header *header = (const void *)datagram->data;
  return datagram->length >= sizeof(*header) && header->magic == htons(MAGIC) ? header : 0;
}

static void end_stream(struct sink *sink, const struct udp_datagram *datagram, u64 sent) {
  send_control(REPORT, datagram->from, sink->socket->port, datagram->from_port, sink->stream, sink->stream_packets);
  if (sink->ended) return; // the first report was lost
  sink->ended = true;
  u64 lost = sent > sink->stream_packets ? sent - sink->stream_packets : 0;
  sink->lost += lost;
  print("udp-sink: %lu packets, %lu bytes, %lu lost, %lu ns, from %s\n", sink->stream_packets, sink->stream_bytes, lost,
        sink->last_ns - sink->first_ns, ip_text(datagram->from));
}

static void absorb(struct udp_socket *socket, const struct udp_datagram *datagram) {
  struct sink *sink = socket->context;
  const struct stream_header *header = header_of(datagram);
  if (header && ntohl(header->stream) != sink->stream) {
    sink->stream = ntohl(header->stream);
    sink->stream_packets = sink->stream_bytes = 0;
    sink->first_ns = sink->last_ns = time_ns();
    sink->ended = false;
  }
  if (header && header->kind == htons(END)) {
    end_stream(sink, datagram, __builtin_bswap64(header->sequence));
    return;
  }
  sink->packets++;
  sink->bytes += datagram->length;
  if (!header) return;
  sink->stream_packets++;
  sink->stream_bytes += datagram->length;
  sink->last_ns = time_ns();
}

static struct sink *find_sink(u64 port) {
  for (u32 i = 0; i < sink_count; i++) {
    if (sinks[i].socket->port == port) return &sinks[i];
  }
  return 0;
}

static struct sink *open_sink(u64 port) {
  struct sink *sink = &sinks[sink_count];
  if (sink_count == SINKS || !(sink->socket = udp_open((u16)port, absorb, sink))) {
    print("udp-sink: port %lu is in use, or there are too many sinks\n", port);
    return 0;
  }
  sink_count++;
  print("udp-sink: listening on port %lu\n", port);
  return sink;
}

bool cmd_udp_sink(int argc, char **argv) {
  u64 options[] = {0, SINK_WAIT_MS}, port = SINK_PORT;
  if (!parse_options(&argc, &argv, "w!t", options)) return false;
  if (argc > 1) return usage("udp-sink");
  if (argc == 1 && !parse_argument("udp-sink", "port", argv[0], 1, 65535, &port)) return false;
  struct sink *sink = find_sink(port);
  if (!sink) sink = open_sink(port);
  if (!sink || !options[0]) return sink != 0;
  if (NET_WAIT_UNTIL(sink->ended, deadline_in_ms(options[1]))) return true;
  print("udp-sink: no stream has ended on port %lu\n", port);
  return false;
}

void print_sink_stats(void) {
  for (u32 i = 0; i < sink_count; i++) {
    u32 port = sinks[i].socket->port;
    print("udp_sink.%u.packets=%lu\n", port, sinks[i].packets);
    print("udp_sink.%u.bytes=%lu\n", port, sinks[i].bytes);
    print("udp_sink.%u.lost=%lu\n", port, sinks[i].lost);
  }
}

static struct {
  u32 address, stream;
  bool arrived;
  u64 packets;
} report;

static void on_report(struct udp_socket *socket, const struct udp_datagram *datagram) {
  (void)socket;
  const struct stream_header *header = header_of(datagram);
  bool ours = header && header->kind == htons(REPORT) && ntohl(header->stream) == report.stream &&
              datagram->from == report.address;
  if (!ours) return;
  report.packets = __builtin_bswap64(header->sequence);
  report.arrived = true;
}

struct stream {
  u64 packets, size, rate; // how many at most, how long each, how many a second (0: as fast as it goes)
  u64 end_ns;              // when to stop at the latest
  u16 from_port, to_port;
};

// Returns how many were sent.
static u64 send_stream(const struct stream *stream) {
  u64 start = time_ns(), sent = 0;
  for (; sent < stream->packets && time_ns() < stream->end_ns && !console_interrupted(); sent++) {
    if (stream->rate > 0) {
      u64 due = start + sent / stream->rate * NS_PER_S + sent % stream->rate * NS_PER_S / stream->rate;
      NET_WAIT_UNTIL(false, min_u64(due, stream->end_ns));
      if (time_ns() >= stream->end_ns) break;
    } else if (sent % BATCH == 0) {
      net_poll();
    }
    struct ip_packet packet;
    u8 *payload = udp_begin_wait(&packet, report.address, deadline_in_ms(STALL_MS));
    if (!payload) {
      print("udp-stream: the interface does not send\n");
      break;
    }
    struct stream_header *header = (void *)payload;
    *header = (struct stream_header){htons(MAGIC), htons(DATA), htonl(report.stream), __builtin_bswap64(sent)};
    memset(header + 1, (u8)sent, stream->size - sizeof(*header));
    udp_end(&packet, stream->from_port, stream->to_port, (u32)stream->size);
  }
  net_poll(); // the last doorbell
  return sent;
}

bool cmd_udp_stream(int argc, char **argv) {
  u64 options[] = {0, 0, UDP_PAYLOAD_MAX, 0}, port = SINK_PORT;
  if (!parse_options(&argc, &argv, "tnsr", options)) return false;
  u64 ms = options[0], packets = options[1], size = options[2], rate = options[3];
  if (argc < 1 || argc > 2 || !parse_ip(argv[0], &report.address, 0)) return usage("udp-stream");
  if (argc == 2 && !parse_argument("udp-stream", "port", argv[1], 1, 65535, &port)) return false;
  if (size < sizeof(struct stream_header) || size > UDP_PAYLOAD_MAX) {
    print("udp-stream: the size goes from %lu to %lu\n", sizeof(struct stream_header), UDP_PAYLOAD_MAX);
    return false;
  }
  if (!reach("udp-stream", report.address)) return false;
  struct udp_socket *socket = udp_open(0, on_report, 0);
  if (!socket) {
    print("udp-stream: no socket is left\n");
    return false;
  }
  if (ms == 0 && packets == 0) ms = 1000;
  u64 start = time_ns();
  report.stream = (u32)start | 1; // 0 is no stream
  report.arrived = false;
  struct stream stream = {
    .packets = packets ? packets : UINT64_MAX,
    .size = size,
    .rate = rate,
    .end_ns = ms ? deadline_in_ms(ms) : NEVER,
    .from_port = socket->port,
    .to_port = (u16)port,
  };
  u64 sent = send_stream(&stream);
  u64 ns = time_ns() - start;
  for (u32 tries = 0; tries < END_TRIES && !report.arrived && !console_interrupted(); tries++) {
    send_control(END, report.address, socket->port, (u16)port, report.stream, sent);
    NET_WAIT_UNTIL(report.arrived, deadline_in_ms(END_INTERVAL_MS));
  }
  udp_close(socket);
  print("udp-stream: %lu packets, %lu bytes, %lu ns", sent, sent * size, ns);
  if (report.arrived) print(", %lu delivered, %lu lost\n", report.packets, sent - min_u64(sent, report.packets));
  else print(", no report\n");
  return report.arrived && report.packets >= sent;
}
