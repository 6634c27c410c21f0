import { CliError } from '../error.js';
import { didYouMean } from '../suggest.js';
import { INFO_TOPICS, type InfoTopic, type MonitorTarget } from './target.js';

interface Command {
  readonly usage: string;
  readonly help: string;
  run(target: MonitorTarget, words: readonly string[]): string | Promise<string>;
}

const need = (words: readonly string[], index: number, usage: string): string => {
  const word = words[index];
  if (word === undefined) throw new CliError(`usage: ${usage}`);
  return word;
};

/** The commands of the monitor, as a person types them. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  help: {
    usage: 'help',
    help: 'list the commands',
    run: () =>
      Object.values(COMMANDS)
        .map(({ usage, help }) => `${usage.padEnd(24)} ${help}`)
        .join('\n'),
  },
  info: {
    usage: `info ${INFO_TOPICS.join('|')}`,
    help: 'show a part of the machine',
    run: (target, words) => {
      const topic = need(words, 0, COMMANDS['info'].usage);
      if (!(INFO_TOPICS as readonly string[]).includes(topic)) {
        throw new CliError(`no info on ${topic}${didYouMean(topic, INFO_TOPICS)}`);
      }
      return target.info(topic as InfoTopic);
    },
  },
  set_link: {
    usage: 'set_link NAME on|off',
    help: 'plug or unplug the cable of a network or NIC',
    run: (target, words) => {
      const state = need(words, 1, COMMANDS['set_link'].usage);
      if (state !== 'on' && state !== 'off') throw new CliError(`usage: ${COMMANDS['set_link'].usage}`);
      target.setLink(words[0], state === 'on');
      return '';
    },
  },
  savevm: {
    usage: 'savevm FILE',
    help: 'write a snapshot',
    run: async (target, words) => {
      await target.saveSnapshot(need(words, 0, COMMANDS['savevm'].usage));
      return '';
    },
  },
  loadvm: {
    usage: 'loadvm FILE',
    help: 'go on from a snapshot',
    run: async (target, words) => {
      await target.loadSnapshot(need(words, 0, COMMANDS['loadvm'].usage));
      return '';
    },
  },
  stop: action('stop', 'halt the harts', (target) => target.stop()),
  cont: action('cont', 'let the harts go on', (target) => target.cont()),
  system_reset: action('system_reset', 'press the reset button', (target) => target.reset()),
  system_powerdown: action('system_powerdown', 'press the power switch', (target) => target.powerDown()),
  quit: action('quit', 'end the process', (target) => target.quit()),
};

function action(usage: string, help: string, act: (target: MonitorTarget) => void): Command {
  return {
    usage,
    help,
    run: (target) => {
      act(target);
      return '';
    },
  };
}

const ALIASES: Readonly<Record<string, string>> = { q: 'quit', c: 'cont', s: 'stop', '?': 'help' };

/** Carries out one typed line; its output, without a last newline. @throws CliError */
export async function runLine(target: MonitorTarget, line: string): Promise<string> {
  const [typed = '', ...words] = line.trim().split(/\s+/);
  if (typed === '') return '';
  const name = Object.hasOwn(ALIASES, typed) ? ALIASES[typed] : typed;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    throw new CliError(`unknown command ${typed}${didYouMean(typed, Object.keys(COMMANDS))}; try help`);
  }
  return command.run(target, words);
}
