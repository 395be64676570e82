import { onAbort } from '../../../basics/abort.ts'
import { lstat, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runInMirror, type CommandOptions } from './command.ts'
import { fetchEnvironment } from './environment.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'
import { runGit, type GitRun } from './git.ts'
import { ownedPaths } from '../local.ts'
import { HEAD_REF } from './objects.ts'
import type { Remote } from '../../settings/repositories.ts'

const SIZE_CHECK_EVERY_MS = 250
/**
 * A pack that has not changed for this time was left by a crash, because git keeps changing a pack while it
 * writes it.
 */
const ABANDONED_AFTER_MS = 60 * 60 * 1_000
/**
 * This ref points to the fetched commit until the size of the fetch is accepted. Then `HEAD_REF` moves to the
 * commit.
 */
const INCOMING_REF = 'refs/runbooks/incoming'
const LOCAL_CONFIG = 'runbooks.gitconfig'
const NO_REF = "couldn't find remote ref"

export interface FetchOptions extends CommandOptions {
  readonly name: string
  readonly remote: Remote
  /** `undefined` means the branch of the remote's HEAD. */
  readonly branch: string | undefined
  /** True if only the paths of the newest commit are read: its contents and older commits are not fetched. */
  readonly pathsOnly?: boolean | undefined
  readonly timeoutMs: number
  readonly maxBytes: number
}

/**
 * Fetches only the configured branch. A fetch that takes too long or becomes too big is ended, and its
 * partial files are removed before the error is thrown.
 * @throws RunbookError with the end of git's output, credentials masked
 */
export async function fetchInto(gitDir: string, options: FetchOptions): Promise<void> {
  const startedAt = Date.now()
  const globalConfig = await writeLocalConfig(gitDir, options.remote)
  try {
    await fetchWatched(gitDir, options, globalConfig)
  } catch (error) {
    await removeBegunPacks(gitDir, startedAt)
    throw error
  }
  const bytes = await objectBytes(gitDir, options)
  if (bytes > options.maxBytes) throw tooBig(options)
  await moveHead(gitDir, options)
}

/** Returns the size of all objects, including those that a running fetch has received so far. */
async function objectBytes(gitDir: string, options: FetchOptions): Promise<number> {
  const { stdout } = await runInMirror(gitDir, ['count-objects', '-v'], options)
  const kibibytes = [...stdout.matchAll(/^size(?:-pack|-garbage)?: (\d+)$/gm)].map((match) =>
    Number(match[1]),
  )
  return kibibytes.reduce((sum, each) => sum + each, 0) * 1024
}

async function moveHead(gitDir: string, options: FetchOptions): Promise<void> {
  const { code, stderr } = await runInMirror(gitDir, ['update-ref', HEAD_REF, INCOMING_REF], options)
  if (code !== 0) throw fetchFailed(options, stderr)
}

async function fetchWatched(gitDir: string, options: FetchOptions, globalConfig: string): Promise<void> {
  const { closing } = options
  const stop = new AbortController()
  const finished = new AbortController()
  using _ = onAbort(closing, () => stop.abort(closing.reason))
  const watching = watchSize(gitDir, options, stop, finished.signal)
  try {
    const { code, stderr } = await runGit(fetchCommand(gitDir, options, globalConfig, stop.signal))
    if (code !== 0) throw stderr.includes(NO_REF) ? noBranch(options) : fetchFailed(options, stderr)
  } finally {
    finished.abort()
    await watching
  }
}

function fetchCommand(
  gitDir: string,
  options: FetchOptions,
  globalConfig: string,
  signal: AbortSignal,
): GitRun {
  const { name, remote, branch, pathsOnly, timeoutMs } = options
  const source = branch === undefined ? 'HEAD' : `refs/heads/${branch}`
  const flags = [
    '--quiet',
    '--no-tags',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    '--no-write-fetch-head',
    ...(pathsOnly === true ? ['--depth=1'] : []),
    // A server that does not know the filter ignores it. git takes no path as the name of a filtered remote.
    ...(pathsOnly === true && remote.kind !== 'local' ? ['--filter=blob:none'] : []),
  ]
  return {
    // Without --update-shallow git fetches nothing from a shallow clone, prints nothing, and exits 0.
    args: [
      ...['--git-dir', gitDir, 'fetch', ...flags, '--update-shallow'],
      ...['--end-of-options', remote.url, `+${source}:${INCOMING_REF}`],
    ],
    env: fetchEnvironment(options.outerEnv, remote, globalConfig),
    timeoutMs,
    timeoutError: () =>
      new RunbookError(
        'timeout',
        `fetching runbook repository ${name} took longer than ${timeoutMs / 1000} s`,
      ),
    signal,
  }
}

async function watchSize(
  gitDir: string,
  options: FetchOptions,
  stop: AbortController,
  finished: AbortSignal,
) {
  for (;;) {
    await delay(SIZE_CHECK_EVERY_MS, undefined, { signal: finished }).catch(() => undefined)
    if (finished.aborted) return
    // A count that fails here is ignored. The count after the fetch must not fail.
    const bytes = await objectBytes(gitDir, options).catch(() => 0)
    if (bytes > options.maxBytes) stop.abort(tooBig(options))
  }
}

function fetchFailed(options: FetchOptions, stderr: string): RunbookError {
  const said = redact(options.remote, stderr)
    .trim()
    .replace(/\s*\n\s*/g, ' / ')
  return new RunbookError(
    'repository',
    `failed fetching runbook repository ${options.name}: ${said || 'git gave no reason'}`,
  )
}

function noBranch({ name, branch }: FetchOptions): RunbookError {
  const what = branch === undefined ? 'commit' : `branch ${branch}`
  return new RunbookError('repository', `runbook repository ${name} has no ${what}`)
}

function tooBig(options: FetchOptions): RunbookError {
  const mebibytes = Math.ceil(options.maxBytes / 1024 / 1024)
  return new RunbookError(
    'size',
    `runbook repository ${options.name} is bigger than ${mebibytes} MiB; keep the runbooks in a separate repository`,
  )
}

/**
 * Writes git's setting safe.directory. It names exactly this local repository, which may belong to another
 * user.
 */
async function writeLocalConfig(gitDir: string, remote: Remote): Promise<string> {
  if (remote.kind !== 'local') return ''
  const file = join(gitDir, LOCAL_CONFIG)
  const paths = await ownedPaths(remote.url)
  // Paths with a trailing `*` are left out, because newer gits read it as "and everything below".
  const lines = paths.filter((path) => !path.endsWith('*')).map((path) => `\tdirectory = ${quoted(path)}\n`)
  await writeFile(file, `[safe]\n${lines.join('')}`, { mode: 0o600 })
  return file
}

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** Removes partial packs, because git itself never removes the pack of a process that was ended. */
async function removeBegunPacks(gitDir: string, startedAt: number): Promise<void> {
  const folder = join(gitDir, 'objects', 'pack')
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((each) => each.startsWith('tmp_'))) {
    const file = join(folder, name)
    const changedAt = (await lstat(file).catch(() => undefined))?.mtimeMs ?? 0
    const abandoned = changedAt < Date.now() - ABANDONED_AFTER_MS
    if (changedAt >= startedAt || abandoned) await rm(file, { force: true })
  }
}

/**
 * Masks the remote's credentials, and any `user@` of a URL. Both spellings are masked, because git prints
 * URLs encoded and a server may echo them decoded.
 */
export function redact(remote: Remote, text: string): string {
  let masked = text.replace(/\/\/[^/\s@]*@/g, '//***@')
  for (const secret of secrets(remote)) masked = masked.replaceAll(secret, '***')
  return masked
}

function secrets(remote: Remote): string[] {
  if (remote.kind !== 'https' || remote.credentials === undefined) return []
  const { username, password } = remote.credentials
  // If there is a password, the user is not secret ("oauth2", "git"), and masking it would garble every
  // message.
  const secret = password ?? username
  return [secret, encodeURIComponent(secret), encodeURI(secret)]
}
