import { describeRuntimes } from './runtimes.js';

describeRuntimes('none');
