import { describe, expect, it } from 'vitest';
import { BOOT_ARGS_MAX, bootArgs } from './boot-args.js';
import { GuestError } from './error.js';

describe('bootArgs', () => {
  it('writes the arguments in the syntax the guest reads', () => {
    expect(
      bootArgs({
        ip: '10.0.0.1/24',
        gateway: '10.0.0.254',
        quiet: true,
        cmd: ['ping -c 3 10.0.0.2', 'stats', 'poweroff'],
      }),
    ).toBe('ip=10.0.0.1/24 gw=10.0.0.254 quiet cmd="ping -c 3 10.0.0.2; stats; poweroff"');
  });

  it('takes one command as text, DHCP, and arguments of other programs', () => {
    expect(bootArgs({ ip: 'dhcp', cmd: "udp-send 10.0.2.2 7 'two words'" })).toBe(
      `ip=dhcp cmd="udp-send 10.0.2.2 7 'two words'"`,
    );
    expect(bootArgs({ extra: { n: 10, dump: 'fadd.d/rne' } })).toBe('n=10 dump=fadd.d/rne');
  });

  it('gives an empty text for nothing', () => {
    expect(bootArgs({})).toBe('');
  });

  it.each([
    [{ ip: '10.0.0' }],
    [{ ip: '10.0.0.256' }],
    [{ ip: '10.0.0.1/33' }],
    [{ ip: '10.0.0.1/24/8' }],
    [{ ip: '' }],
    [{ gateway: '10.0.0.1' }],
    [{ ip: 'dhcp', gateway: '10.0.0.1' }],
    [{ ip: '10.0.0.1', gateway: 'here' }],
    [{ cmd: 'udp-send 10.0.0.1 7 "x"' }],
    [{ cmd: 'stats\npoweroff' }],
    [{ extra: { n: '1 2' } }],
    [{ extra: { 'n m': 1 } }],
    [{ cmd: 'x'.repeat(BOOT_ARGS_MAX) }],
  ])('refuses %j', (args) => {
    expect(() => bootArgs(args)).toThrow(
      expect.objectContaining({ name: 'GuestError', code: 'bad-argument' }),
    );
    expect(() => bootArgs(args)).toThrow(GuestError);
  });
});
