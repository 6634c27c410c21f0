import { OPTIONS } from '../options/command-line.js';
import { table } from '../run/info.js';

/** `vmloom help`. */
export function help(): string {
  const options = Object.entries(OPTIONS).map(([name, { argument, help: text }]) => [
    `  -${name}${argument === undefined ? '' : ` ${argument}`}`,
    text,
  ]);
  return [
    'vmloom weaves virtual machines.',
    '',
    table(
      ['usage', ''],
      [
        ['  vmloom run OPTIONS', "run one machine; options are in QEMU's spelling"],
        ['  vmloom topology FILE', 'run the hosts, machines and switches that a .ts or .js file exports'],
        ['  vmloom demo', 'three machines on a network, with a table of what it cost'],
        ['  vmloom devices [NAME]', 'the devices of -device, and their properties'],
        ['  vmloom help', 'this text'],
      ],
    ),
    '',
    table(['options of run', ''], options),
    '',
    'On the terminal Ctrl-a h lists the escapes, Ctrl-a x ends.',
  ].join('\n');
}
