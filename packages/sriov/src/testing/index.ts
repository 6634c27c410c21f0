export * from './fake-functions.js';
export * from './sriov-driver.js';
