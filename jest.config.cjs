/**
 * Tests run against the build in dist/: what is tested is what ships. `npm test` builds it first.
 * @type {import('jest').Config}
 */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: '<rootDir>/test/tsconfig.json' }] },
  moduleNameMapper: {
    '^rkllm$': '<rootDir>/dist/index.js',
    '^rkllm/testing$': '<rootDir>/dist/testing.js',
    '^(?:\\.{1,2}/)+lib/(.*)\\.js$': '<rootDir>/dist/$1.js',
    '^(\\.{1,2}/(?!.*dist/).*)\\.js$': ['$1.js', '$1.ts'],
  },
  // Most tests wait for processes and threads; with Jest's own choice a machine of two cores would run them one by one.
  maxWorkers: '100%',
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/tools/test-report.cjs'],
};
