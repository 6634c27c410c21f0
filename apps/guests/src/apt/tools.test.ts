import { describe, expect, it } from 'vitest';
import { hasTool, runTool, withoutHosts } from './tools.js';

describe('runTool', () => {
  it('gives what the program wrote, and feeds it', () => {
    const output = runTool(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'], {
      input: new Uint8Array([1, 2, 3]),
    });
    expect([...output]).toEqual([1, 2, 3]);
  });

  it('a program that fails is told with its exit code and last words', () => {
    const script = 'console.error("no such thing"); process.exitCode = 7';
    expect(() => runTool(process.execPath, ['-e', script])).toThrow(/exit code 7\):\nno such thing/);
  });

  it('a program that is not there is an error of ours', () => {
    expect(() => runTool('no-program-of-that-name', [])).toThrow(
      expect.objectContaining({ name: 'GuestsError', code: 'tool-failed' }),
    );
  });
});

describe('hasTool', () => {
  it('looks along the path', () => {
    expect(hasTool('node')).toBe(true);
    expect(hasTool('no-program-of-that-name')).toBe(false);
  });
});

describe('withoutHosts', () => {
  it('leaves the hosts of URIs and of lookups out', () => {
    expect(withoutHosts('E: Failed to fetch http://deb.example.org:80/debian/x 404')).toBe(
      'E: Failed to fetch http://mirror/debian/x 404',
    );
    expect(withoutHosts("Temporary failure resolving 'deb.example.org'")).not.toContain('example');
    expect(withoutHosts('Could not connect to deb.example.org:80 (192.0.2.1)')).not.toContain('example.org');
  });
});
