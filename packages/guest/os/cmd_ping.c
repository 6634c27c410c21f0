// Echo requests, one after another.
#include "commands.h"
#include "console.h"
#include "icmp.h"
#include "print.h"
#include "timer.h"

#define SIZE_MAX_PING (UDP_PAYLOAD_MAX) // the echo header is as long as that of UDP

static struct {
  u32 address;
  u16 id, sequence;
  u32 size;
  bool answered;
  u64 answered_at;
} request;

static void on_reply(const struct icmp_reply *reply) {
  bool ours = reply->from == request.address && reply->id == request.id && reply->sequence == request.sequence &&
              reply->length == request.size;
  if (!ours || request.answered) return;
  request.answered = true;
  request.answered_at = time_ns();
}

bool cmd_ping(int argc, char **argv) {
  static u16 next_id;
  u64 options[] = {4, 1000, 56, 1000};
  if (!parse_options(&argc, &argv, "cist", options)) return false;
  u64 count = options[0], interval_ms = options[1], size = options[2], timeout_ms = options[3];
  u32 address;
  if (argc != 1 || !parse_ip(argv[0], &address, 0) || size > SIZE_MAX_PING) return usage("ping");
  if (!reach("ping", address)) return false;

  struct summary summary = {0};
  u64 sent = 0;
  request.address = address;
  request.id = next_id++;
  request.size = (u32)size;
  icmp_on_reply = on_reply;
  for (; sent < count && !console_interrupted(); sent++) {
    u64 next = deadline_in_ms(interval_ms);
    request.sequence = (u16)sent;
    request.answered = false;
    u64 start = time_ns();
    if (!icmp_send_echo(address, request.id, request.sequence, request.size)) {
      print("ping: the interface is busy\n");
    } else if (NET_WAIT_UNTIL(request.answered, deadline_in_ms(timeout_ms))) {
      u64 ns = request.answered_at - start;
      summary_add(&summary, ns);
      print("ping: %lu bytes from %s: seq=%lu time=%lu ns\n", size, ip_text(address), sent, ns);
    } else {
      print("ping: no answer: seq=%lu\n", sent);
    }
    if (sent + 1 < count) NET_WAIT_UNTIL(false, next);
  }
  icmp_on_reply = 0;
  summary_print("ping", sent, &summary);
  return summary.count == sent;
}
