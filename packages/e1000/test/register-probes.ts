import * as R from '../src/register-map.js';
import { REGISTERS, type RegisterDefinition } from '../src/register-table.js';
import { RAM, hex, listed, read, readConfig, store, write, writeConfig } from './register-script.js';
import type { Access, Observations, ScriptedCard } from './register-script.js';

const ONES = 0xffff_ffff;
const COMMAND = 0x04;
const BAR0 = 0x10;
/** PCI 6.2.3: Interrupt Status, in the upper half of the command and status word. */
const INTERRUPT_STATUS = 1 << (16 + 3);

/** Places BAR 0 where both cards are looked for, and lets the card answer and master the bus. */
export const PLACE: readonly Access[] = [writeConfig(BAR0, 0x4000_0000), writeConfig(COMMAND, 6)];

/** Registers whose writes act, or whose reads say more than what was written: they have scripts of their own. */
const ACTIVE = new Set(['EECD', 'EERD', 'MDIC', 'ICR', 'ICS', 'IMS', 'IMC']);
/** Bits that would reset the card. */
export const RESETS: Readonly<Record<string, number>> = { CTRL: R.CTRL_RST, CTRL_EXT: R.CTRL_EXT_EE_RST };

export const offsets = ({ offset, count = 1, stride = 4 }: RegisterDefinition): number[] =>
  Array.from({ length: count }, (_, index) => offset + index * stride);

/** Registers that {@link writableBits} and random scripts write. */
export const PLAIN: readonly RegisterDefinition[] = REGISTERS.filter(({ name }) => !ACTIVE.has(name));

/** Writes 0 and ones to a register and reads each back. */
export function zeroAndOnes({ name }: RegisterDefinition, offset: number): Access[] {
  const ones = ONES & ~(RESETS[name] ?? 0);
  return [write(offset, 0), read(offset), write(offset, ones), read(offset), write(offset, 0)];
}

export async function resetValues(card: ScriptedCard, seen: Observations): Promise<void> {
  for (const definition of REGISTERS) {
    seen.set(`${definition.name}: power-on`, listed(await card.run(offsets(definition).map(read))));
  }
}

/** The bits that follow a write, by zeros, ones and two patterns. */
export async function writableBits(card: ScriptedCard, seen: Observations): Promise<void> {
  for (const definition of PLAIN) {
    const masks: number[] = [];
    const patterns: number[] = [];
    for (const offset of offsets(definition)) {
      const [zero, one] = await card.run(zeroAndOnes(definition, offset));
      masks.push(zero ^ one);
      for (const pattern of [0x5a5a_5a5a, 0xa5a5_a5a5]) {
        const written = pattern & ~(RESETS[definition.name] ?? 0);
        const [got] = await card.run([write(offset, written), read(offset), write(offset, 0)]);
        // The bits that neither stay as they are nor follow what is written.
        patterns.push((got ^ zero ^ (written & (zero ^ one))) >>> 0);
      }
    }
    seen.set(`${definition.name}: writable bits`, listed(masks));
    seen.set(`${definition.name}: bits that depend on others`, listed(patterns));
  }
}

/** What the addresses of the 82542 and those without a register answer after ones were written to them. */
export async function otherAddresses(card: ScriptedCard, seen: Observations): Promise<void> {
  const leading: string[] = [];
  for (const definition of PLAIN) {
    const { name, offset, alias } = definition;
    if (alias === undefined) continue;
    const [there] = await card.run([write(offset, 0x80), read(alias), write(offset, 0)]);
    if (there !== 0) leading.push(name);
  }
  seen.set('82542 addresses: lead to', leading.join(' '));

  const named = new Set(
    REGISTERS.flatMap((definition) => {
      const { alias } = definition;
      const places = offsets(definition);
      return alias === undefined ? places : [...places, ...places.map((at) => at - places[0] + alias)];
    }),
  );
  const reserved = Array.from({ length: R.PACKET_BUFFER_WINDOW / 4 }, (_, index) => 4 * index).filter(
    (offset) => !named.has(offset),
  );
  const values = await card.run(reserved.flatMap((offset) => [write(offset, ONES), read(offset)]));
  const answering = reserved.filter((_, index) => values[index] !== 0);
  seen.set('reserved addresses: answer', ranges(answering));

  const memory = Array.from({ length: 64 }, (_, index) => R.PACKET_BUFFER_WINDOW + index * 0x3fc);
  const words = await card.run([
    ...memory.map((offset) => write(offset, Math.imul(offset, 0x9e37_79b1))),
    ...memory.map(read),
  ]);
  const kept = words.filter((word, index) => word === Math.imul(memory[index], 0x9e37_79b1) >>> 0);
  seen.set('packet buffer memory: words kept of 64', String(kept.length));
}

/** `0x5844-0x585c step 8`: the ends and the least distance of each group of addresses closer than 256 bytes. */
function ranges(addresses: readonly number[]): string {
  const groups: number[][] = [];
  for (const address of addresses) {
    const last = groups.at(-1);
    if (last !== undefined && address - last[last.length - 1] < 0x100) last.push(address);
    else groups.push([address]);
  }
  return groups
    .map((group) => {
      if (group.length === 1) return hex(group[0]);
      const step = Math.min(...group.slice(1).map((address, index) => address - group[index]));
      return `${hex(group[0])}-${hex(group[group.length - 1])} step ${step}`;
    })
    .join(', ');
}

/** 13.4.17 to 13.4.21. `aspect` of each script, and the values that its reads give. */
const INTERRUPT_SCRIPTS: Readonly<Record<string, readonly Access[]>> = {
  'ICR: a read clears': [write(R.REG_ICS, 0x84), read(R.REG_ICR), read(R.REG_ICR)],
  'ICR: writing 1 clears': [write(R.REG_ICS, 0x95), write(R.REG_ICR, 0x14), read(R.REG_ICR)],
  'ICR: causes accumulate': [write(R.REG_ICS, 1), write(R.REG_ICS, 0x10), read(R.REG_ICR)],
  'ICS: settable causes': [write(R.REG_ICS, ONES), read(R.REG_ICR)],
  'ICS: a read': [write(R.REG_ICS, 0x84), read(R.REG_ICS), read(R.REG_ICR)],
  'IMS: set bits add up': [write(R.REG_IMS, 0x04), write(R.REG_IMS, 0x80), read(R.REG_IMS)],
  'IMS: zeros do nothing': [write(R.REG_IMS, 0x84), write(R.REG_IMS, 0), read(R.REG_IMS)],
  'IMS: settable bits': [write(R.REG_IMS, ONES), read(R.REG_IMS)],
  'IMS: a read of ICR leaves it': [write(R.REG_IMS, 0x84), read(R.REG_ICR), read(R.REG_IMS)],
  'IMC: clears bits of IMS': [write(R.REG_IMS, 0x95), write(R.REG_IMC, 0x14), read(R.REG_IMS)],
  'IMC: a read': [write(R.REG_IMS, 0x84), read(R.REG_IMC)],
  'ICR: a masked cause is held': [write(R.REG_IMC, ONES), write(R.REG_ICS, 0x10), read(R.REG_ICR)],
  'RDTR: FPD': [write(R.REG_RDTR, 0x8000_0010), read(R.REG_RDTR), read(R.REG_ICR)],
  'MDIC: I raises MDAC': [
    write(R.REG_MDIC, R.MDIC_OP_READ | R.MDIC_INTERRUPT | (1 << 21) | (2 << 16)),
    read(R.REG_ICR),
  ],
};

export async function interruptRegisters(card: ScriptedCard, seen: Observations): Promise<void> {
  const clean = [write(R.REG_IMC, ONES), write(R.REG_RDTR, 0), read(R.REG_ICR)];
  for (const [name, script] of Object.entries(INTERRUPT_SCRIPTS)) {
    await card.run(clean);
    seen.set(name, listed(await card.run(script)));
  }
  await card.run(clean);
}

/** INTA as Interrupt Status shows it, after each step of raising, masking and clearing. */
export async function interruptLine(card: ScriptedCard, seen: Observations): Promise<void> {
  const steps: readonly (readonly [string, Access])[] = [
    ['nothing', write(R.REG_IMC, ONES)],
    ['a masked cause', write(R.REG_ICS, 0x04)],
    ['its mask is set', write(R.REG_IMS, 0x04)],
    ['its mask is cleared', write(R.REG_IMC, 0x04)],
    ['its mask is set again', write(R.REG_IMS, 0x84)],
    ['a second cause', write(R.REG_ICS, 0x80)],
    ['the first is cleared', write(R.REG_ICR, 0x04)],
    ['the second is cleared', write(R.REG_ICR, 0x80)],
    ['a cause again', write(R.REG_ICS, 0x04)],
    ['ICR is read', read(R.REG_ICR)],
    ['no cause, all masks', write(R.REG_IMS, 0xff)],
  ];
  for (const [name, access] of steps) {
    await card.run([access]);
    const [status] = await card.run([readConfig(COMMAND)]);
    seen.set(`INTA: ${name}`, (status & INTERRUPT_STATUS) !== 0 ? 'asserted' : 'not asserted');
  }
}

const EEPROM_WORDS = [
  ['station address, words 0x00 to 0x02', 0x00, 0x02],
  ['compatibility and OEM, words 0x03 to 0x07', 0x03, 0x07],
  ['printed board number, words 0x08 and 0x09', 0x08, 0x09],
  ['initialization control 1, word 0x0a', 0x0a, 0x0a],
  ['subsystem, word 0x0b', 0x0b, 0x0b],
  ['vendors and device, words 0x0c to 0x0e', 0x0c, 0x0e],
  ['initialization control 2, word 0x0f', 0x0f, 0x0f],
  ['words 0x10 to 0x1f', 0x10, 0x1f],
  ['words 0x20 to 0x2f', 0x20, 0x2f],
  ['words 0x30 to 0x3e', 0x30, 0x3e],
] as const;

/** 13.4.3 and 13.4.4: the 64 words by EERD, what lies behind them, and EECD's grant. */
export async function eeprom(card: ScriptedCard, seen: Observations): Promise<void> {
  const word = (address: number): Access[] => [
    write(R.REG_EERD, (address << 8) | R.EERD_START),
    read(R.REG_EERD),
  ];
  const words: number[] = [];
  for (let address = 0; address < 64; address++) words.push(...(await card.run(word(address))));
  seen.set(
    'EERD: DONE and the address of 64 words',
    words.every((value, address) => (value & 0xffff) === ((address << 8) | R.EERD_DONE)) ? 'right' : 'wrong',
  );
  for (const [name, from, to] of EEPROM_WORDS) {
    seen.set(`EEPROM: ${name}`, listed(words.slice(from, to + 1).map((value) => value >>> 16)));
  }
  const sum = words.reduce((total, value) => total + (value >>> 16), 0);
  seen.set('EEPROM: sum of all words', hex(sum & 0xffff));
  seen.set('EERD: a word behind the last', listed(await card.run(word(64))));
  seen.set(
    'EERD: without START',
    listed(await card.run([...word(0), write(R.REG_EERD, 0x0100), read(R.REG_EERD)])),
  );
  const grant = [write(R.REG_EECD, R.EECD_REQ), read(R.REG_EECD)];
  seen.set('EECD: requested', listed(await card.run(grant)));
  seen.set('EECD: selected', listed(await card.run([write(R.REG_EECD, R.EECD_REQ | 7), read(R.REG_EECD)])));
  seen.set('EECD: FWE', listed(await card.run([write(R.REG_EECD, 0x20), read(R.REG_EECD)])));
  const released = [write(R.REG_EECD, R.EECD_FWE_DISABLED), read(R.REG_EECD)];
  seen.set('EECD: released', listed(await card.run(released)));
}

const phyRead = (register: number, address = 1): Access[] => [
  write(R.REG_MDIC, R.MDIC_OP_READ | (address << 21) | (register << 16)),
  read(R.REG_MDIC),
];
const phyWrite = (register: number, value: number): Access =>
  write(R.REG_MDIC, R.MDIC_OP_WRITE | (1 << 21) | (register << 16) | value);

/** PHY registers whose writes act on the link, and the bits that do not. */
const PHY_QUIET: Readonly<Record<number, number>> = { 0: 0x2100 };

/** 13.4.7: the PHY by MDIC. */
export async function phy(card: ScriptedCard, seen: Observations): Promise<void> {
  const failing: number[] = [];
  for (let register = 0; register < 32; register++) {
    const [before] = await card.run(phyRead(register));
    if ((before & R.MDIC_ERROR) !== 0) failing.push(register);
    seen.set(`PHY ${register}: power-on`, hex(before & 0xffff));
    const bits = PHY_QUIET[register] ?? 0xffff;
    const [zero, one] = await card.run([
      ...[phyWrite(register, before & 0xffff & ~bits), ...phyRead(register)],
      ...[phyWrite(register, (before & 0xffff) | bits), ...phyRead(register)],
      phyWrite(register, before & 0xffff),
    ]);
    seen.set(`PHY ${register}: writable bits`, hex((zero ^ one) & 0xffff));
  }
  seen.set('MDIC: registers answered with an error', failing.join(' '));
  seen.set('MDIC: another PHY', listed(await card.run(phyRead(2, 2))));
  seen.set('MDIC: after a write', listed(await card.run([phyWrite(4, 0x0de1), read(R.REG_MDIC)])));
}

/** 13.4.1: the registers that CTRL.RST brings back to what they were, of those that were changed. */
export async function softwareReset(card: ScriptedCard, seen: Observations): Promise<void> {
  // Reading ICR would clear it.
  const watched = REGISTERS.filter(({ name }) => name !== 'ICR');
  const values = async (): Promise<string[]> => {
    const all: string[] = [];
    for (const definition of watched) all.push(listed(await card.run(offsets(definition).map(read))));
    return all;
  };
  const script = (value: number): Access[] =>
    PLAIN.filter(({ name }) => !(name in RESETS) && name !== 'TCTL' && name !== 'RCTL').flatMap(
      (definition) => offsets(definition).map((offset) => write(offset, value)),
    );
  await card.run(script(0));
  const before = await values();
  await card.run([
    ...script(0x0000_0880),
    ...[write(R.REG_RCTL, 0x8000), write(R.REG_TCTL, 0x08), phyWrite(4, 0x0061), write(R.REG_IMS, 0x84)],
  ]);
  const changed = await values();
  await card.run([write(R.REG_ICS, 0x04), write(R.REG_CTRL, R.CTRL_RST)]);
  const after = await values();
  const kept = watched.filter(
    (_, index) => changed[index] !== before[index] && after[index] === changed[index],
  );
  seen.set('CTRL.RST: leaves changed', kept.map(({ name }) => name).join(' '));
  seen.set('CTRL.RST: causes left in ICR', listed(await card.run([read(R.REG_ICR)])));
  seen.set('CTRL.RST: PHY 4', listed(await card.run(phyRead(4))));
}

/** Counters of transmitted packets: 64-bit ones by their lower half, whose upper half is next to it. */
const TRANSMITTED: Readonly<Record<string, number>> = {
  GPTC: R.REG_GPTC,
  TPT: R.REG_TPT,
  PTC64: R.REG_PTC64,
  BPTC: R.REG_BPTC,
  MPTC: R.REG_MPTC,
};

/** 13.7: a broadcast of 60 bytes is sent into loopback; what the counters say once, and once more. */
export async function statistics(card: ScriptedCard, seen: Observations): Promise<void> {
  const [ring, buffer] = [0x1000, 0x2000];
  const command = R.TXD_EOP | R.TXD_IFCS | R.TXD_RS;
  await card.run([
    ...Array.from({ length: 15 }, (_, word) => store(buffer + 4 * word, word < 2 ? ONES : 0x0102_0304)),
    ...[store(ring, RAM + buffer), store(ring + 4, 0), store(ring + 8, (command << 24) | 60)],
    ...[store(ring + 12, 0), write(R.REG_TDBAL, RAM + ring), write(R.REG_TDBAH, 0)],
    ...[write(R.REG_TDLEN, 128), write(R.REG_TDH, 0), write(R.REG_TDT, 0)],
    ...[write(R.REG_RCTL, R.RCTL_LBM_MAC), write(R.REG_TCTL, R.TCTL_EN | R.TCTL_PSP), write(R.REG_TDT, 1)],
    ...Array.from({ length: 16 }, () => read(R.REG_TDH)),
  ]);
  seen.set('TDH: after a packet', listed(await card.run([read(R.REG_TDH)])));
  for (const [name, offset] of Object.entries(TRANSMITTED)) {
    seen.set(`${name}: after a packet, and read again`, listed(await card.run([read(offset), read(offset)])));
  }
  for (const [name, offset] of [
    ['GOTC', R.REG_GOTCL],
    ['TOT', R.REG_TOTL],
  ] as const) {
    const low = await card.run([read(offset), read(offset)]);
    const high = await card.run([read(offset + 4), read(offset)]);
    seen.set(`${name}: the lower half twice, the upper, the lower again`, listed([...low, ...high]));
  }
  await card.run([write(R.REG_TCTL, 0), write(R.REG_RCTL, 0), read(R.REG_ICR)]);
}
