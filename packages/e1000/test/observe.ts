import {
  PLACE,
  eeprom,
  interruptLine,
  interruptRegisters,
  otherAddresses,
  phy,
  resetValues,
  softwareReset,
  statistics,
  writableBits,
} from './register-probes.js';
import type { Observations, ScriptedCard } from './register-script.js';

/** Every probe, in an order in which none sees what another left behind. */
export async function observe(card: ScriptedCard, lineCard: ScriptedCard): Promise<Observations> {
  const seen: Observations = new Map();
  await card.run(PLACE);
  await resetValues(card, seen);
  await eeprom(card, seen);
  await phy(card, seen);
  await interruptRegisters(card, seen);
  await statistics(card, seen);
  await otherAddresses(card, seen);
  await writableBits(card, seen);
  await softwareReset(card, seen);
  await lineCard.run(PLACE);
  await interruptLine(lineCard, seen);
  return seen;
}
