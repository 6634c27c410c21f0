import { GuestError } from './error.js';

/** Bytes of boot arguments the tiny guest keeps; what is longer would be cut in silence. */
export const BOOT_ARGS_MAX = 2047;

/** What the tiny guest is asked to do when it starts. */
export interface BootArgs {
  /** Address of eth0: `10.0.0.1/24` (24 bits if left out), or `dhcp`. */
  readonly ip?: string;
  /** Address of the router; needs an `ip` that is not `dhcp`. */
  readonly gateway?: string;
  /** Leaves out the greeting. */
  readonly quiet?: boolean;
  /** Shell commands, run in order before the prompt appears. */
  readonly cmd?: string | readonly string[];
  /** Further `key=value` arguments, such as `n` of intloop and `dump` of fptest. */
  readonly extra?: Readonly<Record<string, string | number>>;
}

function isIp(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isIpWithBits(text: string): boolean {
  const [address = '', bits = '24', ...rest] = text.split('/');
  return rest.length === 0 && isIp(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32;
}

function fail(message: string): never {
  throw new GuestError('bad-argument', message);
}

function checkCommand(command: string): string {
  if (!/^[\x20-\x7e]*$/.test(command) || command.includes('"')) {
    fail(`a command has printable ASCII and no double quote (use single quotes): ${JSON.stringify(command)}`);
  }
  return command;
}

function extraArgument([key, value]: [string, string | number]): string {
  const text = String(value);
  if (!/^[\w.-]+$/.test(key) || !/^[\x21-\x7e]*$/.test(text) || text.includes('"')) {
    fail(`"${key}=${text}" is not a boot argument: no spaces and quotes, please`);
  }
  return `${key}=${text}`;
}

/**
 * The boot arguments (kernel command line) for the tiny guest.
 *
 * @throws GuestError `bad-argument` for what the guest would not understand.
 */
export function bootArgs({ ip, gateway, quiet, cmd, extra }: BootArgs): string {
  const words: string[] = [];
  if (ip !== undefined) {
    if (ip !== 'dhcp' && !isIpWithBits(ip))
      fail(`"${ip}" is neither an IPv4 address, with /bits or not, nor dhcp`);
    words.push(`ip=${ip}`);
  }
  if (gateway !== undefined) {
    if (!isIp(gateway)) fail(`"${gateway}" is not an IPv4 address`);
    if (ip === undefined || ip === 'dhcp') fail('a gateway goes with a fixed address');
    words.push(`gw=${gateway}`);
  }
  if (quiet === true) words.push('quiet');
  words.push(...Object.entries(extra ?? {}).map(extraArgument));
  const commands = (typeof cmd === 'string' ? [cmd] : (cmd ?? [])).map(checkCommand);
  if (commands.length > 0) words.push(`cmd="${commands.join('; ')}"`);
  const text = words.join(' ');
  if (text.length > BOOT_ARGS_MAX) fail(`${text.length} bytes of boot arguments, more than ${BOOT_ARGS_MAX}`);
  return text;
}
