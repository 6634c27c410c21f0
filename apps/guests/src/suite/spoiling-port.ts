import { Frame, type Port, type PortOwner } from '@vmloom/net';

const IPV4_AT = 14;
const TCP = 6;
/** Of the checksum in a TCP header. */
const CHECKSUM_AT = 16;
/** Frames shorter than this are left alone: acknowledgments and the ends of connections. */
const LEAST = 1000;

/**
 * A port on whose way to its holder every `period`th long TCP segment over IPv4 arrives with a wrong checksum, as
 * if a router before it had spoiled it: the frame itself is sound.
 */
export function spoiling(port: Port, period: number): Port {
  let count = 0;
  const spoil = (frame: Frame): Frame => {
    const bytes = frame.toBytes();
    const isTcp = bytes[12] === 8 && bytes[13] === 0 && bytes[IPV4_AT + 9] === TCP;
    if (bytes.length < LEAST || !isTcp || ++count % period !== 0) return frame;
    bytes[IPV4_AT + (bytes[IPV4_AT] & 15) * 4 + CHECKSUM_AT] ^= 0x5a;
    return Frame.of(bytes);
  };
  return {
    name: port.name,
    get up() {
      return port.up;
    },
    send: (frame) => port.send(frame),
    attach(owner: PortOwner): void {
      port.attach({
        receive: (frame) => owner.receive(spoil(frame)),
        writable: () => owner.writable?.(),
        linkChanged: (up) => owner.linkChanged?.(up),
      });
    },
    ready: () => port.ready(),
  };
}
