import { describe, expect, it } from 'vitest';
import { counters, receivedStream, roundTrips, sentStream } from './output.js';

const LOG = [
  'ping: 56 bytes from 10.0.0.1: seq=0 time=1579700 ns',
  'ping: 3 sent, 3 received, rtt min/avg/max = 502500/890300/1579700 ns',
  'udp-rr: 5 sent, 0 received',
  'udp-stream: 5000 packets, 7360000 bytes, 52430700 ns, 4990 delivered, 10 lost',
  'udp-sink: 4990 packets, 7345280 bytes, 10 lost, 53723300 ns, from 10.0.0.2',
  'instret=3955486445651',
  'eth0.rx_packets=1',
  'eth0.rx_packets=111',
  '',
].join('\r\n');

describe('output of the tiny guest', () => {
  it('reads the summary of a ping', () => {
    expect(roundTrips(LOG, 'ping')).toEqual({ sent: 3, received: 3, min: 502500, avg: 890300, max: 1579700 });
  });

  it('leaves the times out if nothing was received', () => {
    expect(roundTrips(LOG, 'udp-rr')).toEqual({ sent: 5, received: 0 });
  });

  it('finds nothing in an output without a summary', () => {
    expect(roundTrips('ping: no answer: seq=0\n', 'ping')).toBeUndefined();
    expect(sentStream('')).toBeUndefined();
    expect(receivedStream('udp-sink: listening on port 9\n')).toBeUndefined();
  });

  it('reads both ends of a stream', () => {
    expect(sentStream(LOG)).toEqual({
      packets: 5000,
      bytes: 7360000,
      ns: 52430700,
      delivered: 4990,
      lost: 10,
    });
    expect(receivedStream(LOG)).toEqual({
      packets: 4990,
      bytes: 7345280,
      lost: 10,
      ns: 53723300,
      from: '10.0.0.2',
    });
  });

  it('knows a stream whose sink did not report', () => {
    expect(sentStream('udp-stream: 5 packets, 80 bytes, 7 ns, no report\n')).toEqual({
      packets: 5,
      bytes: 80,
      ns: 7,
    });
  });

  it('reads counters, the last value of each', () => {
    expect(counters(LOG)).toEqual(
      new Map([
        ['instret', 3955486445651n],
        ['eth0.rx_packets', 111n],
      ]),
    );
  });
});
