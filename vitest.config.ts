import { defineConfig } from 'vitest/config'

const below = (...rooms: string[]) => rooms.map((room) => `test/${room}/**/*.test.ts`)

/**
 * Files whose tests leave nothing in their process, so its modules are loaded once for all of a group: a process of its
 * own costs a file most of a second of a core. There are several groups, since a process that has grown starts others
 * more slowly, which those of `git` and `program` do all the time.
 */
const shared = {
  agent: ['test/commands/*.test.ts', ...below('agent', 'commands/!(start)', 'log', 'web')],
  gateway: [
    'test/gateway/*.test.ts',
    ...below('basics', 'client', 'config', 'dial', 'envvars', 'gateway/!(runbooks)', 'golang'),
    ...below('policy', 'template', 'wire'),
  ],
  git: ['test/*.test.ts', ...below('gateway/runbooks', 'support')],
  /** The built program as a whole: `npm run test:program`. */
  program: ['test/e2e/*.test.ts', ...below('deploy', 'e2e/!(page)')],
  /** The page in a browser, one for them all: `npm run test:page`. */
  page: below('e2e/page'),
}

/**
 * Each of all others has a process of its own: those of `operations` look at all sockets of their process, those of
 * `commands/start` at its memory, and those of `runtime` change how it ends its children.
 */
const own = { include: below('.'), exclude: Object.values(shared).flat() }

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'own', ...own } },
      { extends: true, test: { name: 'agent', isolate: false, include: shared.agent } },
      { extends: true, test: { name: 'gateway', isolate: false, include: shared.gateway } },
      { extends: true, test: { name: 'git', isolate: false, include: shared.git } },
      { extends: true, test: { name: 'program', isolate: false, include: shared.program } },
      {
        extends: true,
        test: {
          ...{ name: 'page', isolate: false, include: shared.page },
          globalSetup: 'test/support/browser-server.ts',
        },
      },
    ],
    setupFiles: ['test/support/machine/own-folders.ts', 'test/support/machine/leaks.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // The default is 1 s: on a busy machine, a browser draws its first view later.
    expect: { poll: { timeout: 30_000 } },
    // Tests wait for children and sockets for much of their time: four keep two cores busy.
    maxWorkers: 4,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'coverage/results.json' }]]
      : ['default'],
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary'], clean: false },
  },
})
