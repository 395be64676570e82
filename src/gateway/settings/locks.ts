import * as v from 'valibot'
import { textJson } from '../../basics/settings/json-schema.ts'
import { about, list, map, parsed } from '../../basics/settings/shapes.ts'
import { PathPattern, PATTERN_FORM, Name } from './words.ts'

export const RunbookPattern = parsed(
  (text) => PathPattern.from(text),
  'a path inside the repository, without a leading slash,',
  textJson(PATTERN_FORM),
)

/** Runbooks that match the lock run one at a time. */
export const LockShape = map({
  name: about('name of the lock, shown to users whose sessions wait for it', Name),
  runbooks: about(
    'paths of the runbooks that need the lock; * stands for any characters except a slash, ** for any characters (default: all runbooks)',
    v.nullish(v.pipe(list(RunbookPattern, 'paths'), v.minLength(1, 'at least one path is expected')), ['**']),
  ),
  connections: about(
    'names of the connections on which these runbooks need the lock (default: all connections)',
    v.nullish(v.pipe(list(Name, 'names'), v.minLength(1, 'at least one connection is expected'))),
  ),
})

export type LockShape = v.InferOutput<typeof LockShape>

export interface LockSettings {
  readonly name: string
  readonly runbooks: readonly PathPattern[]
  /** Undefined if the lock is for all connections. */
  readonly connections?: readonly string[]
}

export function buildLock({ name, runbooks, connections }: LockShape): LockSettings {
  return { name, runbooks, ...(connections ? { connections } : {}) }
}

export function isOn({ connections }: LockSettings, connection: string): boolean {
  return connections === undefined || connections.includes(connection)
}
