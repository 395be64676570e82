import { defineConfig } from 'vitest/config'

// What takes minutes or the whole machine: `npm run test:soak`, one file after the other.
export default defineConfig({
  test: {
    include: ['test/soak/**/*.soak.ts'],
    setupFiles: ['test/support/machine/own-folders.ts', 'test/support/machine/leaks.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    pool: 'forks',
    execArgv: ['--expose-gc'],
    reporters: ['verbose'],
  },
})
