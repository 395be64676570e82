import { defineConfig } from 'vitest/config'

// The rig of test/faults: at length by `npm run test:faults`, which says seed and time; a short plan by `.ci/run`.
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
