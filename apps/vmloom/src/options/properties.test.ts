import { describe, expect, it } from 'vitest';
import { CliError } from '../error.js';
import { Properties } from './properties.js';

describe('properties in QEMU spelling', () => {
  it('takes the implied first name, flags, doubled commas and repeated names', () => {
    const properties = new Properties(
      'user,id=n0,hostfwd=tcp::1-:2,hostfwd=udp::3-:4,restrict,x=a,,b',
      '-netdev',
      'type',
    );
    expect(properties.required('type')).toBe('user');
    expect(properties.all('hostfwd')).toEqual(['tcp::1-:2', 'udp::3-:4']);
    expect(properties.flag('restrict', false)).toBe(true);
    expect(properties.optional('x')).toBe('a,b');
    expect(() => properties.done()).toThrow('-netdev has no property id');
    properties.optional('id');
    properties.done();
  });

  it('names the nearest property', () => {
    const properties = new Properties('e1000,netdve=n0', '-device e1000', 'driver');
    properties.required('driver');
    properties.optional('netdev');
    expect(() => properties.done()).toThrow('-device e1000 has no property netdve; did you mean netdev?');
  });

  it.each([
    ['flag', (p: Properties) => p.flag('x', true), 'is on or off'],
    ['number', (p: Properties) => p.number('x', 1, { most: 5 }), 'is a number from 0 to 5'],
    ['size', (p: Properties) => p.size('x'), 'is a size such as 128M'],
    ['choice', (p: Properties) => p.choice('x', ['tcp', 'unix'], 'tcp'), 'is tcp or unix'],
    ['required', (p: Properties) => p.required('y'), 'needs y='],
  ] as const)('a bad %s is refused with a sentence', (_name, read, sentence) => {
    const properties = new Properties('x=nonsense', '-opt');
    expect(() => read(properties)).toThrow(CliError);
    expect(() => read(properties)).toThrow(sentence);
  });

  it('refuses a property without a name', () => {
    expect(() => new Properties('a,=5', '-x', 'driver')).toThrow(CliError);
  });
});
