import {
  S_END,
  S_EPOCH_REMAINDER,
  S_EPOCH_RETIRED,
  S_EPOCH_TIME,
  S_INSIDE,
  S_LEFT,
  S_MCOUNTINHIBIT,
  S_PICOSECONDS,
  S_TIMEBASE,
} from '../src/layout';

const NANOSECONDS: u64 = 1_000_000_000;

/** Instructions retired before the present one. */
export function retiredCount(s: u32): u64 {
  return load<u64>(s, S_END) - load<u32>(s, S_LEFT) - load<u32>(s, S_INSIDE);
}

/** Virtual nanoseconds at the present instruction. */
export function localTime(s: u32): u64 {
  const since = retiredCount(s) - load<u64>(s, S_EPOCH_RETIRED);
  return (
    load<u64>(s, S_EPOCH_TIME) +
    (since * load<u32>(s, S_PICOSECONDS) + load<u32>(s, S_EPOCH_REMAINDER)) / 1000
  );
}

/** The `time` CSR: whole ticks of the timebase. */
export function timeTicks(s: u32): u64 {
  const now = localTime(s);
  const base = u64(load<u32>(s, S_TIMEBASE));
  return (now / NANOSECONDS) * base + ((now % NANOSECONDS) * base) / NANOSECONDS;
}

/** mcycle (bit 0 of mcountinhibit) or minstret (bit 2), kept at `field`. */
export function readCounter(s: u32, field: u32, bit: u32): u64 {
  const kept = load<u64>(s + field);
  return (load<u32>(s, S_MCOUNTINHIBIT) & bit) != 0 ? kept : retiredCount(s) + kept;
}

/** The next instruction reads what was written. */
export function writeCounter(s: u32, field: u32, bit: u32, value: u64): void {
  const held = (load<u32>(s, S_MCOUNTINHIBIT) & bit) != 0;
  store<u64>(s + field, held ? value : value - retiredCount(s) - load<u32>(s, S_INSIDE));
}
