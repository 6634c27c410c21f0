import { Clock, Ledger } from '@vmloom/device';
import { capture, Frame, MemorySink, PcapngWriter, Switch } from '../../src/index.js';

const clock = new Clock();
const ledger = new Ledger();
const lan = new Switch({ clock, ledger });

// Two ports by wires of 1 Gbit/s and 5 us, the second one captured.
const link = { clock, rate: 1e9, delay: 5_000 };
const file = new MemorySink();
const a = lan.port({ link });
const b = capture(lan.port({ link }), new PcapngWriter(file), clock, 'b');

const heard: string[] = [];
a.attach({ receive: () => true });
b.attach({
  receive(frame) {
    heard.push(`${clock.now} ns: ${frame.length} bytes`);
    return true;
  },
});

const hello = new Uint8Array(60).fill(0xff, 0, 6); // a broadcast
hello.set([2, 0, 0, 0, 0, 1], 6); // from 02:00:00:00:00:01
a.send(Frame.of(hello));
clock.runUntil(1_000_000);

export const result = {
  heard,
  pcapng: file.toBytes(),
  sent: ledger.total({ event: 'frames', reason: 'sent' }),
};
