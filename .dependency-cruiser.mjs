/**
 * What Nx's boundary rule does not see: which files of another package may be imported, and from where.
 * `$1` in a path is the package that imports.
 */
const OWN_PACKAGE = '^((?:packages|apps)/[^/]+)/';
const TESTS = '\\.test\\.ts$|^(?:packages|apps)/[^/]+/(?:test|bench)/';
const TESTING = '^(?:packages|apps)/[^/]+/src/testing/';
const NODE_ONLY = '^(?:packages|apps)/[^/]+/src/node/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Files that need each other at load time cannot be read or tested apart.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'entry-points-only',
      comment: 'Another package is reached through its entry point, ./testing or ./node.',
      severity: 'error',
      from: { path: OWN_PACKAGE },
      to: {
        path: '^(?:packages|apps)/',
        pathNot: [
          '^$1/',
          '^packages/[^/]+/src/(?:testing/|node/)?index\\.ts$',
          '^packages/[^/]+/package\\.json$',
        ],
      },
    },
    {
      name: 'testing-is-for-tests',
      comment:
        'Drivers under ./testing serve tests, benchmarks and other packages’ drivers, never the product.',
      severity: 'error',
      // The guests' suite is a test that runs by itself.
      from: { path: OWN_PACKAGE, pathNot: [TESTS, TESTING, '^apps/guests/src/suite/'] },
      to: { path: TESTING },
    },
    {
      name: 'tests-are-leaves',
      comment: 'Nothing imports a test file.',
      severity: 'error',
      from: {},
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'node-subpath-is-host-only',
      comment: 'Sockets and files stay behind ./node, so that main entries run in a browser.',
      severity: 'error',
      from: { path: '^packages/', pathNot: [TESTS, TESTING, NODE_ONLY] },
      to: { path: NODE_ONLY },
    },
    {
      name: 'main-entries-run-in-a-browser',
      comment: 'Only ./node, tests and their drivers use the modules of Node.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: [TESTS, TESTING, NODE_ONLY] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere: a missing file, or a path the other package does not export.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@vmloom/[^/]+/wasm/' },
    },
    {
      name: 'declared',
      comment: 'Every package that is imported stands in package.json.',
      severity: 'error',
      from: { path: OWN_PACKAGE, pathNot: [TESTS] },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
  ],
  options: {
    exclude: { path: '/(?:dist|out-tsc|wasm|assembly)/' },
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@vmloom/source', 'import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
