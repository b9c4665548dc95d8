/** Read by isolation.ts, and by what these tests start. */
process.env.RKLLM_TEST_ISOLATION = 'process';
