// Moving frames into receive buffers, and looking at their checksums there. No state: arguments say where things are.
import { noteStore } from '@vmloom/memory/assembly/store';
import { blockSum, fold, loadBe16, swap16 } from '@vmloom/net/assembly/checksum';

/**
 * Copies a frame into the ranges of a chain: `ranges` has `count` pairs of offset and length, of which the first
 * `skip` bytes are left out; `offsets` and `lengths` hold the chain's ranges, used from `first` to before `end`. The
 * bytes copied: until one of the two ends.
 */
export function scatter(
  pageFlags: u32,
  ranges: u32,
  count: u32,
  skip: u32,
  offsets: u32,
  lengths: u32,
  first: u32,
  end: u32,
): u32 {
  let copied: u32 = 0;
  let index: u32 = 0;
  while (index < count && skip >= load<u32>(ranges + (index << 3), 4)) {
    skip -= load<u32>(ranges + (index << 3), 4);
    index++;
  }
  if (index >= count) return 0;
  let from = load<u32>(ranges + (index << 3)) + skip;
  let left = load<u32>(ranges + (index << 3), 4) - skip;
  for (let target = first; target < end; target++) {
    let to = load<u32>(offsets + (target << 2));
    let room = load<u32>(lengths + (target << 2));
    while (room > 0) {
      while (left == 0) {
        if (++index >= count) return copied;
        from = load<u32>(ranges + (index << 3));
        left = load<u32>(ranges + (index << 3), 4);
      }
      const n = min(left, room);
      memory.copy(to, from, n);
      noteStore(pageFlags, to, n);
      to += n;
      from += n;
      room -= n;
      left -= n;
      copied += n;
    }
  }
  return copied;
}

/** 1 when a frame in one piece carries a TCP or UDP checksum that is right; 0 when it is wrong, absent or elsewhere. */
export function sound(frame: u32, length: u32): u32 {
  let ip: u32 = 14;
  if (length < 34) return 0;
  let type = loadBe16(frame + 12);
  if (type == 0x8100) {
    type = loadBe16(frame + 16);
    ip = 18;
  }
  let protocol: u32;
  let start: u32;
  let size: u32;
  let sum: u64;
  if (type == 0x0800) {
    if (length < ip + 20) return 0;
    const version: u32 = load<u8>(frame + ip);
    const header = (version & 15) << 2;
    const total = loadBe16(frame + ip + 2);
    if (version >> 4 != 4 || header < 20 || total < header || ip + total > length) return 0;
    if ((loadBe16(frame + ip + 6) & 0x3fff) != 0) return 0;
    protocol = load<u8>(frame + ip + 9);
    start = ip + header;
    size = total - header;
    sum = blockSum(frame + ip + 12, 8);
  } else if (type == 0x86dd) {
    if (length < ip + 40 || load<u8>(frame + ip) >> 4 != 6) return 0;
    protocol = load<u8>(frame + ip + 6);
    start = ip + 40;
    size = loadBe16(frame + ip + 4);
    if (start + size > length) return 0;
    sum = blockSum(frame + ip + 8, 32);
  } else return 0;
  if (protocol == 6) {
    if (size < 20) return 0;
  } else if (protocol != 17 || size < 8 || load<u16>(frame + start + 6) == 0) return 0;
  sum += <u64>swap16(protocol) + <u64>swap16(size) + blockSum(frame + start, size);
  return fold(sum) == 0xffff ? 1 : 0;
}
