import type { Engine } from '../../../runtime/engine.ts'
import { pollUntil } from '../../../runtime/ending/kill-ladder.ts'
import { processEntry } from '../../../runtime/ending/process-table.ts'
import { type Finding, broken, ok, skipped, warning } from '../finding.ts'
import { runTrial } from './run.ts'

/** How long the three processes live when nobody ends them. */
const LONGEST_MS = 20_000
/** After the end of the execution the kernel may need a moment. */
const GONE_MS = 2000

const NAP = `setTimeout(() => {}, ${LONGEST_MS})`
/** Ignores SIGTERM, and starts one process in its group and one in a session of its own. */
const SCRIPT = `
process.on('SIGTERM', () => {})
const { spawn } = require('node:child_process')
const start = (detached) => spawn(process.execPath, ['-e', ${JSON.stringify(NAP)}], { detached, stdio: 'ignore' }).pid
console.log('pids', start(false), start(true), process.pid)
${NAP}
`

/** Whether a command that does not want to end, and what it has started, are gone after its execution. */
export async function tryCleanup(engine: Engine, signal: AbortSignal): Promise<Finding> {
  const watch = (stdout: string, terminate: () => void) => {
    if (pidsIn(stdout).length > 0) terminate()
  }
  // With Node itself: a container may have neither a shell nor setsid.
  const { stdout, failure } = await runTrial(engine, [process.execPath, '-e', SCRIPT], { watch }, signal)
  const pids = pidsIn(stdout)
  if (pids.length === 0)
    return skipped(`the processes to be ended could not be started: ${failure ?? 'no reason given'}`)
  await pollUntil(GONE_MS, () => !pids.some(isAlive))
  const left = pids.filter(isAlive)
  for (const pid of left) process.kill(pid, 'SIGKILL')
  return judge(engine, pids, left)
}

function judge(
  engine: Engine,
  [inGroup = 0, escaped = 0]: readonly number[],
  left: readonly number[],
): Finding {
  if (left.length === 0)
    return ok('a command that ignores SIGTERM was ended, with its group and a process outside of it')
  if (engine.name === 'portable' && left.every((pid) => pid === escaped))
    return warning(
      'a process that left its session was not found',
      'Only the posix engine can (Linux with glibc 2.34 or newer): what such commands start stays',
    )
  const which = left.map((pid) =>
    pid === escaped ? 'outside of the group' : pid === inGroup ? 'in the group' : 'itself',
  )
  return broken(
    `a command was not ended completely: ${which.join(', ')}`,
    'Cancelled commands would go on here. Is /proc mounted, without hidepid? Does seccomp forbid kill or prctl?',
  )
}

function pidsIn(stdout: string): number[] {
  const [, ...pids] = /^pids (\d+) (\d+) (\d+)$/m.exec(stdout) ?? []
  return pids.map(Number)
}

function isAlive(pid: number): boolean {
  return processEntry(pid)?.ended === false
}
