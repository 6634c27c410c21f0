/** `npm run test:guests -- [--full] [words]`: unmodified guests, booted and checked. See apps/guests. */
import { main } from '../apps/guests/dist/index.js';

process.exitCode = await main(['test', ...process.argv.slice(2)]);
