import { describeRuntimes } from './runtimes.js';

describeRuntimes('process');
