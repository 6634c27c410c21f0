import { describe, expect, it } from 'vitest';
import type { Shown } from '../boot/transcript.js';
import { GuestsError } from '../error.js';
import { networkPlans, networkRates } from './network-plans.js';

const received = (fields: object): string => JSON.stringify({ end: { sum_received: fields } });
const PKTGEN = `before 100
behind 60100
     pkts-sofar: 72877  errors: 0
Result: OK: 2000000(c1994597+d13295) usec, 72877 (60byte,0frags)
  36295pps 17Mb/sec (17421600bps) errors: 0`;

const shown = (tcp: string, exitCode = 0): ReadonlyMap<string, Shown> =>
  new Map([
    ['tcp-out-1', { text: tcp, exitCode }],
    ['tcp-in-1', { text: received({ bits_per_second: 3e8 }), exitCode: 0 }],
    ['udp-1', { text: received({ packets: 5000, lost_packets: 1000, seconds: 2 }), exitCode: 0 }],
    ['pktgen-1', { text: PKTGEN, exitCode: 0 }],
  ]);

describe('networkRates', () => {
  it('reads what the receiver got, and the last attempt where some failed', () => {
    const failed = '{\n\t"end":\t{\n\t},\n\t"error":\t"unable to connect"\n}\n';
    const text = failed + received({ bits_per_second: 2e8 });
    const rates = networkRates({ checks: [], shown: shown(text) }, 1);
    expect(rates).toEqual({
      tcpOut: [200],
      tcpIn: [300],
      udp: [2],
      pktgenSent: [36.295],
      pktgenTaken: [30],
    });
  });

  it('says which figure is missing instead of making one up', () => {
    expect(() => networkRates({ checks: [], shown: shown('{"error": "refused"}') }, 1)).toThrow(GuestsError);
    expect(() => networkRates({ checks: [], shown: shown(received({ bits_per_second: 1 }), 1) }, 1)).toThrow(
      'tcp-out: ',
    );
    expect(() => networkRates({ checks: [], shown: new Map() }, 1)).toThrow('nothing');
  });
});

describe('networkRates of several rounds', () => {
  it('a round that failed has no rate, and the others keep theirs', () => {
    const text = received({ bits_per_second: 2e8 });
    const both = new Map([...shown(text)].map(([name, one]) => [name.replace('-1', '-2'), one]));
    const rates = networkRates({ checks: [], shown: both }, 2);
    expect(rates.tcpOut).toEqual([NaN, 200]);
    expect(rates.udp).toEqual([NaN, 2]);
  });
});

describe('networkPlans', () => {
  it('sends to the station address that it was told', () => {
    const [measuring] = networkPlans({
      driver: 'e1000',
      seconds: 4,
      rounds: 2,
      station: '52:54:00:00:00:01',
    });
    expect(measuring).toContain('dst_mac 52:54:00:00:00:01');
    expect(measuring).toContain('-t 4');
    expect(measuring).toContain('modprobe e1000');
  });
});
