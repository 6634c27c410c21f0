export { SeededEntropy, type EntropySource } from './entropy-source.js';
export { VirtioRng, type VirtioRngOptions } from './rng.js';
