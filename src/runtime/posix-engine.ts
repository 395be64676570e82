import { closeSync, writeSync } from 'node:fs'
import type { WindowSize } from '../basics/window-size.ts'
import { type Child, type Command, PipeEnd, type StartOptions } from './child.ts'
import { SpawnError } from './exit-status.ts'
import { findProgram } from './lookup.ts'
import { memoryFile, posixSpawn, raiseOomScore, seal, type Spawn } from './linux/spawn.ts'
import { bytesInPipe, enlargePipe, ErrnoError, hideFromSameUser, pipe, requireLibc } from './linux/posix.ts'
import { marking } from './ending/process-table.ts'
import { adoptOrphans } from './ending/orphans.ts'
import { openTerminal } from './pty.ts'
import { waitForExit } from './ending/reaper.ts'

export { endProcessesOfAgent } from './ending/orphans.ts'
export { giveBackMemory } from './linux/posix.ts'
export { whyUnmarked } from './ending/process-table.ts'

// Like the imports above, this call throws if libc lacks a function. The portable engine is then used.
requireLibc()

/**
 * Size of stdout's pipe in bytes. Bulk output needs fewer wake-ups with a larger pipe. stderr has the default
 * of 64 KiB.
 */
const STDOUT_PIPE_BYTES = 256 * 1024

/** @throws SpawnError with the errno of the failure, or the signal's reason */
export function startPosix(command: Command, how: StartOptions = {}): Promise<Child> {
  return inTurn(how.signal, () => startOnPipes(command, how))
}

async function startOnPipes(command: Command, how: StartOptions): Promise<Child> {
  const owned: number[] = []
  try {
    return await startPiped(command, how, owned)
  } catch (error) {
    throw spawnError(command, error)
  } finally {
    // These are our copies of the child's ends. If they stayed open, the pipes would never reach their end.
    for (const fd of owned) closeSync(fd)
  }
}

/** `stdin` of the command is not used. @throws like `startPosix` */
export function startPosixTerminal(
  command: Command,
  size: WindowSize,
  how: StartOptions = {},
): Promise<Child> {
  return inTurn(how.signal, () => startOnTerminal(command, size, how))
}

async function startOnTerminal(command: Command, size: WindowSize, how: StartOptions): Promise<Child> {
  const terminal = openTerminal(size)
  try {
    const pid = await spawn(command, terminal.path, how)
    raiseOomScore(pid)
    return terminal.started(pid, waitForExit(pid))
  } catch (error) {
    terminal.discard()
    throw spawnError(command, error)
  }
}

/** @throws ErrnoError or a file error where the kernel lacks a needed function */
export function guardPosix(): void {
  hideFromSameUser()
  adoptOrphans()
}

function spawnError(command: Command, error: unknown): unknown {
  return error instanceof ErrnoError ? new SpawnError(error.code, describe(command, error)) : error
}

/** @param owned receives the child's ends of the pipes; the caller closes them after the start */
async function startPiped(command: Command, how: StartOptions, owned: number[]): Promise<Child> {
  const stdin = stdinFile(command.stdin, owned)
  const [out, stdout] = outputPipe(owned)
  let err: number | undefined
  try {
    enlargePipe(out, STDOUT_PIPE_BYTES)
    let stderr: number
    ;[err, stderr] = outputPipe(owned)
    return pipedChild(await spawn(command, [stdin, stdout, stderr], how), out, err)
  } catch (error) {
    closeSync(out)
    if (err !== undefined) closeSync(err)
    throw error
  }
}

async function spawn(
  command: Command,
  stdio: Spawn['stdio'],
  { mark, onThisThread = false }: StartOptions,
): Promise<number> {
  const { argv, environment, path, cwd } = command
  const file = findProgram(argv[0]?.toString() ?? '', path, cwd)
  using _ = marking(mark)
  return await posixSpawn({ file, argv, environment, cwd, stdio }, onThisThread)
}

function pipedChild(pid: number, out: number, err: number): Child {
  raiseOomScore(pid)
  const exited = waitForExit(pid)
  const stdout = new PipeEnd(out)
  const stderr = new PipeEnd(err)
  const unread = () => (stdout.destroyed ? 0 : bytesInPipe(out)) + (stderr.destroyed ? 0 : bytesInPipe(err))
  return { pid, stdout, stderr, reaped: exited, exited, unread }
}

/** Adds the child's end to `owned`. Returns [our end, the child's end]. */
function outputPipe(owned: number[]): [number, number] {
  const [ours, theirs] = pipe()
  owned.push(theirs)
  return [ours, theirs]
}

/**
 * Returns a file with the whole input. A file is better than a pipe: no loop has to write, EPIPE cannot
 * occur, and the command can open /dev/stdin again.
 */
function stdinFile(input: Uint8Array, owned: number[]): number {
  const fd = memoryFile('stdin')
  owned.push(fd)
  for (let at = 0; at < input.length;) at += writeSync(fd, input, at, input.length - at, at)
  seal(fd)
  return fd
}

function describe(command: Command, error: ErrnoError): string {
  const program = JSON.stringify(command.argv[0]?.toString() ?? '')
  switch (error.code) {
    case 'ENOENT':
      return `exec: ${program}: no such file, or its interpreter or the working folder ${command.cwd} is missing`
    case 'EACCES':
      return `exec: ${program}: permission denied`
    case 'ENOEXEC':
      return `exec: ${program}: exec format error: neither a binary of this machine nor a script that starts with #!`
    case 'E2BIG':
      return `exec: ${program}: arguments and environment are too long for this system (one value may have 128 KiB): pass large values as filesystem: instead of envvar:`
    case 'EMFILE':
    case 'ENFILE':
      return `exec: ${program}: the agent has no file descriptor left (${error.code}): raise its limit (ulimit -n, LimitNOFILE=) or lower limits.sessions`
    default:
      return `exec: ${program}: ${error.message}`
  }
}

/**
 * The newest start. Only one command starts at a time, for two reasons. The mark of a command is a limit of
 * this whole process (`marking` of `ending/process-table.ts`). All calls share the same buffers
 * (`linux/spawn.ts`).
 */
let last: Promise<unknown> = Promise.resolve()

/**
 * Runs `start` when the earlier starts are over.
 * @throws the signal's reason if it is aborted before the start
 */
function inTurn<T>(signal: AbortSignal | undefined, start: () => Promise<T>): Promise<T> {
  const started = last.then(() => {
    signal?.throwIfAborted()
    return start()
  })
  last = started.catch(() => undefined)
  return started
}
