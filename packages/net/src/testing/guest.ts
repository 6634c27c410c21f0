import type { Clock } from '@vmloom/device';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../ethernet.js';
import type { Port } from '../port.js';
import { etherFrame } from './frames.js';
import {
  arpPacket,
  decodeFrame,
  icmpMessage,
  ipv4Packet,
  tcpSegment,
  udpDatagram,
  type Decoded,
  type Ipv4Fields,
  type TcpFields,
} from './packets.js';
import { Station } from './station.js';

/** A guest for tests of the NAT: sends packets made by hand, takes apart what comes back. */
export class TestGuest extends Station {
  ip: string;
  readonly mac: string;
  readonly #clock: Clock;
  #read = 0;

  constructor(port: Port, clock: Clock, ip = '10.0.2.15', mac = '52:54:00:12:34:56') {
    super(port);
    this.#clock = clock;
    this.ip = ip;
    this.mac = mac;
  }

  /** Runs what is due now, and what has arrived since the last call, taken apart. */
  take(): Decoded[] {
    this.#clock.runUntil(this.#clock.now);
    const frames = this.received.slice(this.#read).map(decodeFrame);
    this.#read = this.received.length;
    return frames;
  }

  sendFrame(type: number, payload: Uint8Array, to = '52:55:0a:00:02:02'): void {
    this.send(etherFrame({ to, from: this.mac, type, payload }));
  }

  arp(target: string): Decoded[] {
    const packet = arpPacket(1, this.mac, this.ip, '00:00:00:00:00:00', target);
    this.sendFrame(ETHERTYPE_ARP, packet, 'ff:ff:ff:ff:ff:ff');
    return this.take();
  }

  /** Sends an IP packet and runs nothing. False: blocked. */
  push(fields: Partial<Ipv4Fields> & Pick<Ipv4Fields, 'to' | 'protocol' | 'payload'>): boolean {
    const payload = ipv4Packet({ from: this.ip, ...fields });
    return this.send(etherFrame({ to: '52:55:0a:00:02:02', from: this.mac, type: ETHERTYPE_IPV4, payload }));
  }

  sendIp(fields: Partial<Ipv4Fields> & Pick<Ipv4Fields, 'to' | 'protocol' | 'payload'>): Decoded[] {
    this.sendFrame(ETHERTYPE_IPV4, ipv4Packet({ from: this.ip, ...fields }));
    return this.take();
  }

  udp(fromPort: number, to: string, toPort: number, data: Uint8Array): Decoded[] {
    return this.sendIp({ to, protocol: 17, payload: udpDatagram(this.ip, fromPort, to, toPort, data) });
  }

  tcp(to: string, fields: TcpFields): Decoded[] {
    return this.sendIp({ to, protocol: 6, payload: tcpSegment(this.ip, to, fields) });
  }

  /** An echo request. */
  ping(to: string, data: Uint8Array, ttl = 64): Decoded[] {
    const payload = icmpMessage(8, 0, Uint8Array.from([0x12, 0x34, 0, 1, ...data]));
    return this.sendIp({ to, protocol: 1, payload, ttl });
  }
}
