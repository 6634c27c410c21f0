import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const conditions = ['@vmloom/source', 'module', 'node', 'default'];

const projects = ['packages', 'apps']
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  .filter((root) => existsSync(`${root}/package.json`))
  .map((root) => ({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name: (JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { name: string }).name,
      root,
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      environment: 'node',
      testTimeout: 30_000,
    },
  }));

const tools = {
  test: {
    name: 'tools',
    root: 'tools',
    include: ['*.test.mjs', 'bench/*.test.mjs', 'lint/*.test.mjs'],
    environment: 'node' as const,
    testTimeout: 60_000,
  },
};

/** Programs outside the workspace, built from the tarballs of `npm pack`. */
const consumers = {
  test: { name: 'consumers', root: 'tools/consumers', include: ['*.test.mjs'], environment: 'node' as const },
};

/** The examples of the READMEs. */
const readme = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'readme',
    root: '.',
    include: ['tools/readme/*.test.mjs'],
    environment: 'node' as const,
    testTimeout: 60_000,
  },
};

export default defineConfig({
  test: {
    projects: [...projects, tools, consumers, readme],
    reporters: ['default', './tools/closing-line-reporter.mjs'],
    maxWorkers: 2,
  },
});
