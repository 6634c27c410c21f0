export * from './fake-sbi-hart.js';
export * from './sbi-driver.js';
