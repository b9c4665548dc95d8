/**
 * Tests run against the build in dist/: what is tested is what ships. `npm test` builds it first.
 * @type {import('jest').Config}
 */
const common = {
  testEnvironment: '<rootDir>/test/support/environment.cjs',
  roots: ['<rootDir>/test'],
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/test/tsconfig.json' }] },
  moduleNameMapper: {
    '^rkllm$': '<rootDir>/dist/index.js',
    '^rkllm/testing$': '<rootDir>/dist/testing.js',
    '^(?:\\.{1,2}/)+lib/(.*)\\.js$': '<rootDir>/dist/$1.js',
    '^(\\.{1,2}/(?!.*dist/).*)\\.js$': ['$1.js', '$1.ts'],
  },
  setupFilesAfterEnv: ['<rootDir>/test/support/set-up.cjs'],
};

/** What holds wherever the vendor's runtime runs is tested in this process and in one of its own. */
const inBoth = [
  '<rootDir>/test/unit/rkllm/**/*.test.ts',
  '<rootDir>/test/lifecycle/rkllm-{abort-state,completion,event-loop,grid,text}.test.ts',
];

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    { ...common, displayName: 'all', testMatch: ['**/*.test.ts'] },
    { ...common, displayName: 'isolated', testMatch: inBoth, setupFiles: ['<rootDir>/test/support/isolate.cjs'] },
  ],
  // Most tests wait for processes and threads; with Jest's own choice a machine of two cores would run them one by one.
  maxWorkers: '100%',
  reporters: ['default', '<rootDir>/tools/test-report.cjs'],
};
