import { accessSync, constants } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

const chromium = process.env['VMLOOM_CHROMIUM'] ?? '/usr/bin/chromium';
try {
  accessSync(chromium, constants.X_OK);
} catch {
  console.error(
    `There is no browser at ${chromium}: install Debian's chromium, or name another in VMLOOM_CHROMIUM.`,
  );
  process.exit(1);
}

// A page gets SharedArrayBuffer, and so shared memory, only when it is isolated from other origins.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  resolve: { conditions: ['@vmloom/source', 'module', 'browser', 'default'] },
  server: { headers },
  cacheDir: '.cache/vite-browser',
  optimizeDeps: { include: ['buffer', 'buffer-layout'] },
  test: {
    name: 'browser',
    include: ['tools/browser/*.test.ts'],
    reporters: ['default', './tools/closing-line-reporter.mjs'],
    testTimeout: 30_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath: chromium,
          args: [
            '--no-sandbox',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-domain-reliability',
            '--disable-sync',
            '--no-first-run',
            '--no-pings',
          ],
        },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
