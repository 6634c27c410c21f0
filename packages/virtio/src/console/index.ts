export { VirtioConsole, type VirtioConsoleOptions } from './console.js';
export { ConsolePort, type ConsolePortOptions } from './port.js';
