import type { Clock } from '@vmloom/device';
import type { Frame } from './frame.js';
import { eachPlainFrame } from './offload/segmenter.js';
import { INBOUND, OUTBOUND, type PcapngWriter } from './pcapng.js';
import type { Port, PortOwner } from './port.js';

/**
 * The port with everything that passes it written to a capture: use what comes back in the port's place.
 * Outbound is what its holder sends. Times are the clock's; `name` is the interface's, the port's unless told.
 */
export function capture(port: Port, writer: PcapngWriter, clock: Clock, name = port.name): Port {
  const id = writer.addInterface(name);
  const write = (direction: 1 | 2, frame: Frame, pass: (frame: Frame) => boolean): boolean => {
    const blocks: number[] = [];
    const begin = (plain: Frame): boolean => {
      blocks.push(writer.begin(id, direction, clock.now, plain));
      return true;
    };
    // A capture shows what would be on a wire, whatever passes here.
    if (!eachPlainFrame(frame, begin)) begin(frame);
    let taken = false;
    try {
      taken = pass(frame);
    } finally {
      while (blocks.length > 0) writer.end(blocks.pop()!, taken);
    }
    return taken;
  };
  const send = (frame: Frame): boolean => port.send(frame);
  return {
    name: port.name,
    get up() {
      return port.up;
    },
    send: (frame) => write(OUTBOUND, frame, send),
    attach(owner: PortOwner): void {
      const receive = (frame: Frame): boolean => owner.receive(frame);
      port.attach({
        get offloads() {
          return owner.offloads ?? 0;
        },
        receive: (frame) => write(INBOUND, frame, receive),
        writable: () => owner.writable?.(),
        linkChanged: (up) => owner.linkChanged?.(up),
      });
    },
    ready: () => port.ready(),
  };
}
