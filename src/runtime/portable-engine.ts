import { spawn } from 'node:child_process'
import type { Child, Command } from './child.ts'
import { SpawnError, type ExitStatus } from './exit-status.ts'
import { findProgram } from './lookup.ts'

/**
 * Starts a command on systems without glibc's posix_spawn (macOS, musl). stdin, stdout and stderr are
 * sockets, so scripts cannot open /dev/stdin, /dev/stdout or /dev/stderr. Arguments and variables lose bytes
 * that are not UTF-8. Other inheritable descriptors stay open in the child.
 */
export async function startPortable(command: Command): Promise<Child> {
  const program = command.argv[0]?.toString() ?? ''
  const spawned = spawn(findProgram(program, command.path, command.cwd), command.argv.slice(1).map(String), {
    argv0: program,
    cwd: command.cwd,
    env: environmentRecord(command.environment),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exited = new Promise<ExitStatus>((resolve) =>
    spawned.once('exit', (code, signal) => resolve(exitStatus(code, signal))),
  )
  await started(spawned, program)
  // It is no error if a child does not read all of its input.
  spawned.stdin.on('error', () => undefined)
  spawned.stdin.end(command.stdin)
  return {
    pid: spawned.pid,
    stdout: spawned.stdout,
    stderr: spawned.stderr,
    reaped: exited,
    exited,
    unread: () => 0,
  }
}

function started(spawned: ReturnType<typeof spawn>, program: string): Promise<void> {
  return new Promise((resolve, reject) => {
    spawned.once('spawn', resolve)
    spawned.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new SpawnError(
          error.code ?? 'unknown',
          `exec: ${JSON.stringify(program)}: ${error.code ?? error.message}`,
        ),
      ),
    )
  })
}

function exitStatus(code: number | null, signal: NodeJS.Signals | null): ExitStatus {
  return signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'signaled', signal }
}

function environmentRecord(entries: readonly Buffer[]): Record<string, string> {
  const pairs = entries.map((entry) => {
    const text = entry.toString()
    const equals = text.indexOf('=')
    return [text.slice(0, equals), text.slice(equals + 1)] as const
  })
  return Object.fromEntries(pairs)
}
