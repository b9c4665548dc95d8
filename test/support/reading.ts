export * from '../../lib/conformance/reading.js';
