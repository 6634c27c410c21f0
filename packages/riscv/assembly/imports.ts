/**
 * What the hart asks of its host. Addresses and 64-bit values are two halves, low first. `index` names the
 * hart. Loads and stores answer 0, or 1 for an access fault; a loaded value is put into S_VALUE.
 */
@external("env", "mmioLoad")
export declare function mmioLoad(index: u32, low: u32, high: u32, width: u32): u32;

@external("env", "mmioStore")
export declare function mmioStore(index: u32, low: u32, high: u32, width: u32, valueLow: u32, valueHigh: u32): u32;

// A load from a page with PAGE_LOAD_WATCHED has been carried out.
@external("env", "watchedLoad")
export declare function watchedLoad(offset: u32, length: u32): void;

// stimecmp or menvcfg.STCE changed.
@external("env", "timerChanged")
export declare function timerChanged(index: u32): void;

// A register of an interrupt file of the hart's incoming-MSI controller, into S_VALUE; FILE_TOP in its place is the
// top interrupt.
@external("env", "imsicRead")
export declare function imsicRead(index: u32, file: u32, register: u32): void;

// The same, written; at FILE_TOP the top interrupt is claimed, whatever the value.
@external("env", "imsicWrite")
export declare function imsicWrite(index: u32, file: u32, register: u32, low: u32, high: u32): void;
