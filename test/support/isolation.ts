/**
 * Where the vendor's runtime runs in tests that hold for both. `jest.config.cjs` runs them twice; elsewhere it is this
 * process.
 */
export const isolation = process.env['RKLLM_TEST_ISOLATION'] === 'process' ? 'process' : 'none';
