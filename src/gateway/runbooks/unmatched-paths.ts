import { didYouMean } from '../../basics/text/nearest.ts'
import path from 'node:path/posix'
import { isOn, type LockSettings } from '../settings/locks.ts'
import type { ScheduleSettings } from '../settings/schedules.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { PathPattern } from '../settings/words.ts'
import { isInFolder } from './catalog.ts'

/** The paths of all files, by the name of the repository. Repositories whose paths are unknown are missing. */
export type KnownPaths = ReadonlyMap<string, readonly string[]>

export interface PathSettings {
  readonly connections: readonly ConnectionSettings[]
  readonly locks: readonly LockSettings[]
}

/** The paths of one setting, and the files to which they can apply. */
interface PathList {
  /** Such as `connection pg: runbooks.confirm`. */
  readonly setting: string
  readonly patterns: readonly PathPattern[]
  readonly files: readonly string[]
}

/** Tells whether any setting names a path that could match no runbook. */
export function hasPaths({ connections, locks }: PathSettings): boolean {
  const isNamed = ({ text }: PathPattern) => text !== ALL
  return (
    locks.some(({ runbooks }) => runbooks.some(isNamed)) ||
    connections.some(({ runbooks: { reviews = [], confirm = [] } = {} }) =>
      [...reviews.map(({ path }) => path), ...confirm].some(isNamed),
    )
  )
}

/** Returns a warning for each path of `review`, `confirm` and `locks` that no file matches. */
export function unmatchedPaths({ connections, locks }: PathSettings, known: KnownPaths): string[] {
  const lists = [
    ...connections.flatMap((connection) => pathsOf(connection, known)),
    ...locks.flatMap((lock) => pathsOfLock(lock, connections, known)),
  ]
  return lists.flatMap(({ setting, patterns, files }) =>
    patterns
      .filter(({ text }) => text !== ALL)
      .filter((pattern) => !files.some((file) => pattern.isFor(file)))
      .map(({ text }) => `${setting}: no runbook matches ${text}${hint(text, files)}`),
  )
}

/** The default of `locks[].runbooks`, which is right also while a repository has no files. */
const ALL = '**'

function pathsOf(connection: ConnectionSettings, known: KnownPaths): PathList[] {
  const files = filesOf(connection, known)
  if (files === undefined) return []
  const { reviews = [], confirm = [] } = connection.runbooks ?? {}
  const of = `connection ${connection.name}: runbooks`
  return [
    { setting: `${of}.review`, patterns: reviews.map(({ path }) => path), files },
    { setting: `${of}.confirm`, patterns: confirm, files },
  ]
}

function pathsOfLock(
  lock: LockSettings,
  connections: readonly ConnectionSettings[],
  known: KnownPaths,
): PathList[] {
  const those = connections.filter(({ name, runbooks }) => runbooks !== undefined && isOn(lock, name))
  // A thousand connections may share one folder, whose files are taken once.
  const folders = new Map(those.map((one) => [`${one.runbooks?.repository} ${one.runbooks?.path}`, one]))
  const files = [...folders.values()].map((connection) => filesOf(connection, known))
  if (!files.every((paths) => paths !== undefined)) return []
  return [
    { setting: `lock ${lock.name}: runbooks`, patterns: lock.runbooks, files: [...new Set(files.flat())] },
  ]
}

/** Returns the files that may run on the connection, or undefined if they are unknown. */
function filesOf({ runbooks }: ConnectionSettings, known: KnownPaths): string[] | undefined {
  if (runbooks === undefined) return undefined
  return known.get(runbooks.repository)?.filter((file) => isInFolder(file, runbooks.path))
}

/** Returns a warning for each schedule whose runbook does not exist, or may not run on its connection. */
export function missingRunbooks(
  {
    schedules,
    connections,
  }: Pick<PathSettings, 'connections'> & { readonly schedules: readonly ScheduleSettings[] },
  known: KnownPaths,
): string[] {
  return schedules.flatMap(({ name, connection: named, runbook }) => {
    const connection = connections.find((one) => one.name === named)
    if (connection === undefined) return []
    const of = `schedule ${name}: runbook ${runbook}`
    if (connection.runbooks === undefined) return [`${of}: connection ${named} has no runbooks`]
    const files = filesOf(connection, known)
    if (files === undefined || files.includes(runbook)) return []
    const { repository, path } = connection.runbooks
    const where = path === '' ? repository : `${path} of ${repository}`
    return [`${of} does not exist in ${where}, so the schedule cannot run${hint(runbook, files)}`]
  })
}

function hint(text: string, files: readonly string[]): string {
  const isRight = (name: string) => {
    const pattern = PathPattern.from(name)
    return files.some((file) => pattern?.isFor(file))
  }
  const meant = text.includes('*')
    ? didYouMean(text, patternsLike(text, files), isRight)
    : didYouMean(text, filesNear(text, files))
  return meant === undefined ? '' : `: ${meant}`
}

/**
 * Maximum number of names with which one path is compared. The comparison takes 0.1 s, in which the gateway does
 * nothing else.
 */
const MAX_COMPARED_FILES = 2_000

/** Returns all files of a small repository. Of a large one, returns the files with the same folder or the same name. */
function filesNear(text: string, files: readonly string[]): readonly string[] {
  if (files.length <= MAX_COMPARED_FILES) return files
  const isNear = (file: string) =>
    path.dirname(file) === path.dirname(text) || path.basename(file) === path.basename(text)
  return files.filter(isNear).slice(0, MAX_COMPARED_FILES)
}

/** A mistyped beginning may be this much shorter or longer than the right one. */
const LENGTHS = [-2, -1, 0, 1, 2]

/** Returns patterns that begin as files do. From the first asterisk on, each pattern equals `text`. */
function patternsLike(text: string, files: readonly string[]): readonly string[] {
  const star = text.indexOf('*')
  const rest = text.slice(star)
  const beginnings = new Set<string>()
  for (const file of files) {
    for (const by of LENGTHS) beginnings.add(file.slice(0, Math.max(0, star + by)))
    if (beginnings.size > MAX_COMPARED_FILES) break
  }
  return [...beginnings].map((beginning) => `${beginning}${rest}`).filter((pattern) => pattern !== text)
}
