import { defineConfig } from 'vitest/config'

// The rig of test/faults at length: `npm run test:faults`, which says seed and time.
export default defineConfig({
  test: {
    include: ['test/faults/*.faults.ts'],
    setupFiles: ['test/support/machine/own-folders.ts', 'test/support/machine/leaks.ts'],
    fileParallelism: false,
    pool: 'forks',
    hookTimeout: 60_000,
    disableConsoleIntercept: true,
    reporters: ['verbose'],
  },
})
