export { main, type MainStreams } from './main.js';
export { parseCommandLine } from './options/command-line.js';
export type { RunPlan } from './options/plan.js';
export { Session } from './run/session.js';
