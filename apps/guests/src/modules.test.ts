import { describe, expect, it } from 'vitest';
import { moduleFile } from '../test/elf-file.js';
import { moduleInfo, modulesDep, resolveModules, type ModuleSource } from './modules.js';

const FILES: Record<string, readonly string[]> = {
  'kernel/net/8021q/8021q.ko.xz': ['license=GPL', 'depends=garp,mrp'],
  'kernel/net/802/garp.ko.xz': ['depends=stp'],
  'kernel/net/802/mrp.ko.xz': ['depends='],
  'kernel/net/802/stp.ko.xz': ['depends='],
  'kernel/drivers/net/sound-card.ko': ['softdep=pre: mrp not_there', 'depends='],
  'kernel/broken.ko': ['depends=nowhere'],
};

const source: ModuleSource = {
  paths: Object.keys(FILES),
  read: (path) => moduleFile(FILES[path]),
};

describe('resolveModules', () => {
  it('gives dependencies before what needs them, each once', () => {
    const names = resolveModules(source, ['8021q', 'stp']).map(({ name }) => name);
    expect([...names].sort()).toEqual(['8021q', 'garp', 'mrp', 'stp']);
    expect(names.indexOf('stp')).toBeLessThan(names.indexOf('garp'));
    expect(names.at(-1)).toBe('8021q');
  });

  it('takes dashes and underscores for the same, and soft dependencies that exist', () => {
    const found = resolveModules(source, ['sound_card']);
    expect(found.map(({ name }) => name)).toEqual(['mrp', 'sound_card']);
    expect(found[1].path).toBe('kernel/drivers/net/sound-card.ko');
  });

  it('drops the ending of the compression from the path', () => {
    expect(resolveModules(source, ['stp'])[0].path).toBe('kernel/net/802/stp.ko');
  });

  it('says which module is missing, and who needs it', () => {
    const error = expect.objectContaining({ name: 'GuestsError', code: 'missing-module' });
    expect(() => resolveModules(source, ['e1000'])).toThrow(error);
    expect(() => resolveModules(source, ['broken'])).toThrow('no module nowhere, which broken needs');
  });

  it('modules depending on each other end', () => {
    const round: ModuleSource = {
      paths: ['a.ko', 'b.ko'],
      read: (path) => moduleFile([path === 'a.ko' ? 'depends=b' : 'depends=a']),
    };
    expect(resolveModules(round, ['a'])).toHaveLength(2);
  });
});

describe('modulesDep', () => {
  it('modules.dep(5): each module with everything it stands on', () => {
    const text = modulesDep(resolveModules(source, ['8021q']));
    const line = text.split('\n').find((one) => one.startsWith('kernel/net/8021q/'))!;
    expect(line.split(': ')[1].split(' ').sort()).toEqual([
      'kernel/net/802/garp.ko',
      'kernel/net/802/mrp.ko',
      'kernel/net/802/stp.ko',
    ]);
    expect(text).toContain('kernel/net/802/stp.ko:\n');
  });
});

describe('moduleInfo', () => {
  it('gives every value of a key', () => {
    expect(moduleInfo(moduleFile(['alias=a', 'x=1', 'alias=b']), 'alias')).toEqual(['a', 'b']);
  });
});
