import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** The floors of the house from the bottom up; a package depends only on floors below its own. */
const FLOORS = [
  ['memory'],
  ['device'],
  ['pci'],
  ['parts'],
  ['devices'],
  ['hypervisor', 'guest'],
  ['machine'],
  ['topology'],
  ['apps'],
];

/** The guest's programs run on any machine, so its package stands on nothing. */
const ALONE = ['guest'];

export const depConstraints = FLOORS.flatMap((names, level) =>
  names.map((name) => ({
    sourceTag: `floor:${name}`,
    onlyDependOnLibsWithTags: ALONE.includes(name)
      ? []
      : FLOORS.slice(0, level).flatMap((below) => below.map((one) => `floor:${one}`)),
  })),
);

const NODE_GLOBALS = ['process', 'console', 'Buffer', 'URL', 'TextDecoder', 'TextEncoder', 'WebAssembly'];
const TIMERS = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'performance',
  'fetch',
];

export default tseslint.config(
  {
    // AssemblyScript puts decorators where TypeScript has none; tools/lint checks its imports.
    ignores: [
      '**/dist/**',
      '**/out-tsc/**',
      '**/wasm/**',
      '**/assembly/**',
      '**/coverage/**',
      '.nx/**',
      '.cache/**',
      'docs/api/**',
      'tools/types/**',
      'tools/consumers/*/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries([...NODE_GLOBALS, ...TIMERS].map((name) => [name, 'readonly'])),
    },
  },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-constant-condition': ['error', { checkLoops: false }],
      'object-shorthand': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.ts'] },
        tsconfigRootDir: fileURLToPath(new URL('.', import.meta.url)),
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unnecessary-type-arguments': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // An interface may be asynchronous where an implementation has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['packages/**/*.ts', 'apps/**/*.ts'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          allowCircularSelfDependency: false,
          allow: [],
          depConstraints,
        },
      ],
    },
  },
  {
    // The models: their time is the virtual clock, and equal input gives equal output.
    files: ['packages/*/src/**/*.ts'],
    // host-time.ts is the door through which a realtime clock sees the wall.
    ignores: ['**/*.test.ts', '**/src/node/**', 'packages/machine/src/host-time.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Models are deterministic: use a seeded generator.' },
        { object: 'performance', property: 'now', message: 'Wall-clock time enters only through the clock.' },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'Date', message: 'Wall-clock time enters only through the clock.' },
        { name: 'Buffer', message: 'The main entry of a package runs in a browser.' },
        { name: 'process', message: 'The main entry of a package runs in a browser.' },
      ],
    },
  },
  {
    files: ['**/*.test.ts', '**/test/**/*.ts'],
    rules: {
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
);
