import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { outer } from './own-folders.ts'

// The command stands apart from its calls: knip takes a literal one for a package that is not listed.
const GO = 'go'

/** The modules may have to be fetched, and the standard library to be built. */
export const GO_MS = 300_000

interface GoOptions {
  readonly cwd?: string
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

/** With Go's caches of whoever runs the tests: they are made to be shared, and to fill new ones takes minutes. */
export function go(args: readonly string[], { env, ...options }: GoOptions = {}): SpawnSyncReturns<string> {
  const own = { TMPDIR: process.env['TMPDIR'], ...env }
  return spawnSync(GO, args, {
    ...options,
    env: { ...outer, ...own },
    encoding: 'utf8',
    timeout: GO_MS,
  })
}
