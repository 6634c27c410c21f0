// IEEE 802.3 3.2.9: the frame check sequence, reflected polynomial 0xEDB88320, by slices of 16 bytes.

/** Fills the 16 tables of 256 words behind `table`. */
export function fillCrcTable(table: u32): void {
  for (let i: u32 = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
    store<u32>(table + (i << 2), crc);
  }
  for (let i: u32 = 0; i < 256; i++) {
    let crc = load<u32>(table + (i << 2));
    for (let slice: u32 = 1; slice < 16; slice++) {
      crc = (crc >> 8) ^ load<u32>(table + ((crc & 0xff) << 2));
      store<u32>(table + (slice << 10) + (i << 2), crc);
    }
  }
}

// @ts-ignore: decorator
@inline
function word(table: u32, slice: u32, value: u32): u32 {
  return (
    load<u32>(table + ((slice + 3) << 10) + ((value & 0xff) << 2)) ^
    load<u32>(table + ((slice + 2) << 10) + (((value >> 8) & 0xff) << 2)) ^
    load<u32>(table + ((slice + 1) << 10) + (((value >> 16) & 0xff) << 2)) ^
    load<u32>(table + (slice << 10) + ((value >> 24) << 2))
  );
}

/** The state of the check after `length` more bytes; it begins with all ones, and its complement is the FCS. */
export function updateCrc(table: u32, crc: u32, at: u32, length: u32): u32 {
  const end = at + length;
  for (; at + 16 <= end; at += 16) {
    crc =
      word(table, 12, load<u32>(at) ^ crc) ^
      word(table, 8, load<u32>(at, 4)) ^
      word(table, 4, load<u32>(at, 8)) ^
      word(table, 0, load<u32>(at, 12));
  }
  for (; at < end; at++) crc = (crc >> 8) ^ load<u32>(table + (((crc ^ load<u8>(at)) & 0xff) << 2));
  return crc;
}
