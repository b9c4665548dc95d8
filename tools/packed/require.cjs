void require('./smoke.cjs')(require('rkllm'), require('rkllm/testing'));
