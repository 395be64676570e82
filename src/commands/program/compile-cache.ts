import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { objectionTo } from '../../basics/files/private-path.ts'

/**
 * Commands of people that load enough to gain by a cache. The cache is run as code, and a process of a runbook can
 * write into the agent's home: so no command of an agent or a gateway uses it, nor one that looks after them.
 */
const FOR_PEOPLE = new Set(['run', 'exec', 'connect', 'sessions', 'reviews', 'connections', 'agents'])
/**
 * Most files of the cache. A checkout has about 250 for each version of Node; on a full disk Node leaves as many empty
 * ones each time.
 */
const MOST_FILES = 2000
/**
 * Variables with which there is no cache: the user has decided, or is root by sudo, and would run files of another
 * user.
 */
const ALREADY_DECIDED = ['NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE', 'SUDO_USER', 'DOAS_USER']
const ROOT = 0
const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

/** Not yet in the types of Node 20, nor in Node 20. */
interface Compiling {
  readonly enableCompileCache?: (folder: string) => unknown
}

/**
 * Lets Node keep the compiled code of a person's command in the user's own folder for the next command. Where that is
 * not possible, there is no cache and no message: the command works without it.
 */
export function keepCompiled([word = '', ...rest]: readonly string[]): void {
  const { enableCompileCache } = process.getBuiltinModule('node:module') as Compiling
  if (enableCompileCache === undefined || ALREADY_DECIDED.some((name) => process.env[name])) return
  // With --local this process does an agent's work.
  if (!FOR_PEOPLE.has(word) || rest.includes('--local')) return
  try {
    const folder = cacheFolder(process.env)
    if (folder !== undefined) enableCompileCache(folder)
  } catch {
    // There is no home, or the disk is full or read-only.
  }
}

/** The folder of the cache; undefined when others could put a file there. @throws the file system's error */
function cacheFolder({ HOME = '', XDG_CACHE_HOME = '' }: NodeJS.ProcessEnv): string | undefined {
  // The XDG specification says to ignore a relative path.
  const [base, ...names] = path.isAbsolute(XDG_CACHE_HOME) ? [XDG_CACHE_HOME] : [HOME, '.cache']
  if (!path.isAbsolute(base)) return undefined
  let folder = realpathSync(base)
  if (!staysInPlace(folder)) return undefined
  for (const name of [...names, 'runbook-agent', 'compiled']) {
    folder = path.join(folder, name)
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
    if (objectionTo(lstatSync(folder), 'folder') !== undefined) return undefined
  }
  return isPrivate(folder) ? emptiedWhenFull(folder) : undefined
}

/** Whether only this user and root can replace the folder or one above it. */
function staysInPlace(folder: string): boolean {
  const { uid, mode } = statSync(folder)
  const isShared = (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0
  if (isShared || ![ROOT, process.geteuid?.()].includes(uid)) return false
  const above = path.dirname(folder)
  return above === folder || staysInPlace(above)
}

/** Whether the folder is closed to others. Node creates folders in it by the umask, which may be open. */
function isPrivate(folder: string): boolean {
  return (lstatSync(folder).mode & 0o777) === 0o700
}

/** Empties a full cache. It is counted without `recursive`, which takes Node 10 ms, more than the cache saves. */
function emptiedWhenFull(folder: string): string {
  const files = readdirSync(folder).flatMap((version) => readdirSync(path.join(folder, version)))
  if (files.length > MOST_FILES) {
    rmSync(folder, { recursive: true })
    mkdirSync(folder, { mode: 0o700 })
  }
  return folder
}
