import { loadBe16 } from '@vmloom/net/assembly/checksum';
import * as L from '../src/layout-offsets';
import * as R from '../src/register-map';

// 3.2.1 and chapter 9: which packets are for this station. `header` is the first 18 bytes of the frame.

export const PASS: u32 = 0;
/** Passed by a filter that is not exact: PIF. */
export const PASS_INEXACT: u32 = 1;
export const REJECT: u32 = 2;
export const REJECT_VLAN: u32 = 3;

export function filter(s: u32, header: u32): u32 {
  const control = load<u32>(s + R.REG_RCTL);
  const passed = filterAddress(s, header, control);
  if (passed == REJECT || (control & R.RCTL_VFE) == 0) return passed;
  if (loadBe16(header + 12) != load<u32>(s + R.REG_VET)) return passed;
  const tag = loadBe16(header + 14);
  // 9.3.1: CFIEN compares the tag's canonical form indicator with RCTL.CFI.
  if ((control & R.RCTL_CFIEN) != 0 && ((tag >> 12) & 1) != ((control & R.RCTL_CFI) != 0 ? 1 : 0)) {
    return REJECT_VLAN;
  }
  const id = tag & 0xfff;
  const word = load<u32>(s + R.REG_VFTA + ((id >> 5) << 2));
  return ((word >> (id & 31)) & 1) != 0 ? passed : REJECT_VLAN;
}

function filterAddress(s: u32, header: u32, control: u32): u32 {
  const low = load<u32>(header);
  const high = <u32>load<u16>(header, 4);
  if (low == 0xffffffff && high == 0xffff) {
    if ((control & R.RCTL_BAM) != 0) return PASS;
  }
  for (let i: u32 = 0; i < <u32>R.RAR_COUNT; i++) {
    const rah = load<u32>(s + R.REG_RAH0 + (i << 3));
    // 13.5.3: an entry may match the source address instead.
    if ((rah & R.RAH_AV) == 0) continue;
    const select = (rah >> R.RAH_AS_SHIFT) & 3;
    const ral = load<u32>(s + R.REG_RAL0 + (i << 3));
    if (select == 0) {
      if (ral == low && (rah & 0xffff) == high) return PASS;
    } else if (select == 1) {
      if (ral == load<u32>(header, 6) && (rah & 0xffff) == <u32>load<u16>(header, 10)) return PASS;
    }
  }
  if ((low & 1) == 0) return (control & R.RCTL_UPE) != 0 ? PASS_INEXACT : REJECT;
  if ((control & R.RCTL_MPE) != 0) return PASS;
  // 13.5.1: 12 bits of the address, chosen by RCTL.MO, index the 4096-bit table.
  const upper = (<u32>load<u8>(header, 4)) | (<u32>load<u8>(header, 5) << 8);
  const offset = (control >> R.RCTL_MO_SHIFT) & 3;
  const shift: u32 = offset == 3 ? 0 : 4 - offset;
  const hash = (upper >> shift) & 0xfff;
  const word = load<u32>(s + R.REG_MTA + ((hash >> 5) << 2));
  return ((word >> (hash & 31)) & 1) != 0 ? PASS_INEXACT : REJECT;
}

/** True when the frame goes to the address of the first receive address register. */
export function isOwn(s: u32, header: u32): bool {
  const rah = load<u32>(s + R.REG_RAH0);
  return load<u32>(header) == load<u32>(s + R.REG_RAL0) && <u32>load<u16>(header, 4) == (rah & 0xffff);
}

/** True when the frame goes to the flow control address (13.4.8). */
export function isFlowControl(s: u32, header: u32): bool {
  return load<u32>(header) == load<u32>(s + R.REG_FCAL) && <u32>load<u16>(header, 4) == (load<u32>(s + R.REG_FCAH) & 0xffff);
}
