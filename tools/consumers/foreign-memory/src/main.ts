/**
 * Another emulator made a WebAssembly.Memory and put its guest's RAM at 1 MiB. The e1000 of vmloom serves that RAM
 * where it lies: frames leave it and arrive in it, and nothing else is touched but the place the NIC was given.
 */
import { ethernetFrame, NicBench, RAM_BASE } from '@vmloom/e1000/testing';
import { HostMemory } from '@vmloom/memory';

const theirs = new WebAssembly.Memory({ initial: 64, maximum: 64 });
const bytes = new Uint8Array(theirs.buffer);
const guest = { offset: 0x10_0000, size: 0x10_0000 };
const ours = { base: 0x30_0000, reserve: 0x4_0000, flags: 0x1000 };
const oursEnd = ours.base + ours.flags + ours.reserve;

bytes.fill(0xa5);
bytes.fill(0, guest.offset, guest.offset + guest.size);
bytes.fill(0, ours.base, oursEnd);

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${what}`);
}

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

const memory = new HostMemory({
  within: { memory: theirs, base: ours.base },
  reserve: ours.reserve,
  ram: guest.size,
  ramOffset: guest.offset,
});
const nic = new NicBench({ memory });
check('memory is theirs', nic.memory.wasm === theirs);
nic.start();

const out = ethernetFrame({ length: 300, seed: 1 });
const index = nic.driver.send(out);
nic.run(1_000_000);
check('the frame left their memory', nic.port.sent.length === 1 && equal(nic.port.sent[0]!, out));
check('the descriptor in their memory says so', nic.driver.transmitted(index));

const back = ethernetFrame({ length: 700, seed: 2 });
check('the NIC takes a frame', nic.port.deliver(back));
nic.run(1_000_000);
const packet = nic.driver.poll();
check('it arrives', packet !== undefined && equal(packet.bytes, back));
const where = guest.offset + nic.driver.rxBuffer(0) - RAM_BASE;
check('in their memory', equal(bytes.subarray(where, where + back.length), back));

const mayChange = (at: number): boolean =>
  (at >= guest.offset && at < guest.offset + guest.size) || (at >= ours.base && at < oursEnd);
check(
  'nothing else was touched',
  bytes.every((byte, at) => byte === 0xa5 || mayChange(at)),
);
console.log('ok');
