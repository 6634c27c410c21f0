import { CliError } from '../error.js';
import { COMMON_PROPERTIES, DEVICES } from '../run/devices.js';
import { table } from '../run/info.js';
import { didYouMean } from '../suggest.js';

/** `vmloom devices [NAME]`: what `-device` takes. @throws CliError */
export function devices(argv: readonly string[]): string {
  const [name] = argv;
  if (name === undefined) {
    const rows = Object.entries(DEVICES).map(([device, { description }]) => [device, description]);
    return `${table(['device', 'what it is'], rows)}\n\nvmloom devices NAME lists its properties.`;
  }
  const model = Object.hasOwn(DEVICES, name) ? DEVICES[name] : undefined;
  if (model === undefined)
    throw new CliError(`there is no device ${name}${didYouMean(name, Object.keys(DEVICES))}`);
  const rows = Object.entries({ ...model.properties, ...COMMON_PROPERTIES });
  return `${name}: ${model.description}\n\n${table(['property', 'meaning'], rows)}`;
}
