import { describe, expect, it } from 'vitest';
import { GuestsError } from '../error.js';
import { debianWords, defaults, passOn, startDebian } from './debian.js';

describe('npm run guest -- debian', () => {
  it('gives memory and a network card to a machine for which nobody named any', () => {
    expect(defaults([])).toEqual(['-m', '256', '-nic', 'user,model=e1000']);
    expect(defaults(['-smp', '4', '-m', '512'])).toEqual(['-nic', 'user,model=e1000']);
    expect(defaults(['-netdev', 'user,id=a', '-device', 'e1000,netdev=a'])).toEqual(['-m', '256']);
    expect(defaults(['-nic', 'none', '-m', '128'])).toEqual([]);
  });

  it('knows its kernels and names them', async () => {
    await expect(startDebian(['5.10'])).rejects.toThrow(GuestsError);
    await expect(startDebian(['5.10'])).rejects.toThrow('there are 6.12, 7.2');
  });

  it('takes its own words out of the options', () => {
    expect(debianWords(['6.12', '--disk', '-m', '512', '--update'])).toEqual({
      series: '6.12',
      update: true,
      disk: { image: undefined, overlay: undefined },
      options: ['-m', '512'],
    });
    const { disk } = debianWords(['--disk', 'mine.img', '--overlay', 'layer']);
    expect(disk).toEqual({ image: 'mine.img', overlay: 'layer' });
    expect(debianWords(['-smp', '2']).disk).toBeUndefined();
    expect(() => debianWords(['--overlay', 'layer'])).toThrow('add --disk');
    expect(() => debianWords(['--disk', '--overlay'])).toThrow('needs a file');
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)(
    '%s ends the machine first, so that its files go',
    async (signal) => {
      const before = process.listeners(signal);
      const ended = passOn(['-e', 'setInterval(() => undefined, 1000)']);
      const added = process.listeners(signal).filter((listener) => !before.includes(listener));
      expect(added).toHaveLength(1);
      added[0](signal);
      expect(await ended).toBe(1);
      expect(process.listeners(signal)).toEqual(before);
    },
  );
});
