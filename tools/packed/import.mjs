import * as rkllm from 'rkllm';
import * as testing from 'rkllm/testing';
import smoke from './smoke.cjs';

await smoke(rkllm, testing);
