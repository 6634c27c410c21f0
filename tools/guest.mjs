/** `npm run guest -- debian [6.12|7.2] [options of vmloom run]`: an unmodified guest at your terminal. See apps/guests. */
import { main } from '../apps/guests/dist/index.js';

process.exitCode = await main(process.argv.slice(2));
