import { existsSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Execution } from '../../../src/runtime/execution.ts'
import { adoptOrphans } from '../../../src/runtime/ending/orphans.ts'
import { outcome, start, type Run } from '../../support/sites/execute.ts'
import { isAlive } from '../../support/machine/processes.ts'
import { waitFor } from '../../support/wait.ts'

// This process adopts, so it must start nothing by child_process: it would collect it.
beforeAll(adoptOrphans)

const bash = ['bash', '--norc', '--noprofile']
const sleep = 'echo $$; exec /bin/sleep 1000 > /dev/null 2>&1'
/** A script that says the pid of what it left behind, and ends when that runs. */
const leaving = (command: string) => `read pid < <(${command}); echo $pid`

const inGroup = leaving(`sh -c '${sleep}' &`)
const inSession = leaving(`setsid sh -c '${sleep}'`)
const doubleForked = leaving(`(setsid sh -c '${sleep}' &)`)
const emptied = leaving(`setsid env -i /bin/sh -c '${sleep}'`)
const doubleEmptied = leaving(`(setsid env -i /bin/sh -c '${sleep}' &)`)
/** Goes through a new program, a new session and an emptied environment again and again. */
const restless = leaving(
  `setsid env -i /bin/bash -c 'echo $$; exec > /dev/null 2>&1; for i in {1..400}; do setsid -w env -i /bin/true; done; exec /bin/sleep 1000'`,
)
const without = (limit: string) => leaving(`ulimit -S -x ${limit}; exec setsid env -i /bin/sh -c '${sleep}'`)
/** Keeps its environment, but no mark. */
const marked = leaving(`ulimit -S -x 7; exec setsid sh -c '${sleep}'`)
/** In a group of its own, in the command's session, without the environment. */
const job =
  'set -m; env -i /bin/sleep 1000 > /dev/null 2>&1 & until grep -q ^/bin/sleep /proc/$!/cmdline; do :; done; echo $!'

interface Left {
  readonly pid: number
  readonly execution: Execution
}

let markers = 0
const begin = (script: string, options: Run = {}) =>
  start(bash, { stdin: script, marker: `MARKER=${++markers}`, ...options })

async function leftBy(script: string, options: Run = {}): Promise<Left> {
  const execution = await begin(script, options)
  const { stdout } = await outcome(execution)
  return { pid: Number(String(stdout)), execution }
}

/** Runs while the callback does: nothing is nobody's then. */
async function whileAnotherRuns<T>(callback: () => Promise<T>): Promise<T> {
  const other = await begin('exec sleep 1000')
  try {
    return await callback()
  } finally {
    other.terminate()
    await outcome(other)
  }
}

/** What an execution ends whose command has left nothing. */
async function endedByAnother(): Promise<number> {
  const execution = await begin('true')
  await outcome(execution)
  return execution.processesEnded
}

async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await waitFor(() => !existsSync(`/proc/${pid}`))
}

describe('what a command leaves behind', () => {
  it.each([
    ['in its group', inGroup],
    ['in a session of its own', inSession],
    ['by a double fork', doubleForked],
    ['in its session, in another group, without the environment', job],
    ['in a session of its own without the environment', emptied],
    ['by a double fork without the environment', doubleEmptied],
    ['that keeps its environment and takes off the mark', marked],
    ['that takes off the mark and every other sign', without('unlimited')],
    ['that takes a mark of its own and sheds every other sign', without('12345')],
  ])('%s is ended with it while another runs, and counted', async (_, script) => {
    const { pid, execution } = await whileAnotherRuns(() => leftBy(script))
    expect(pid).toBeGreaterThan(1)
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(execution.processesEnded).toBe(1)
  })

  it('that never stays the same program is ended with it while another runs, and with what it has just started', async () => {
    const { pid, execution } = await whileAnotherRuns(() => leftBy(restless))
    expect(pid).toBeGreaterThan(1)
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    // What it starts is there for a moment: one more, or two.
    expect(execution.processesEnded).toBeGreaterThanOrEqual(1)
  })

  it('is ended with its descendants, those in other sessions and without the environment included', async () => {
    const tree = `setsid bash -c '
      sleep 1000 & sleep 1000 &
      read pid < <(setsid env -i /bin/bash -c "/bin/sleep 1000 & echo \\$!; exec /bin/sleep 1000")
      echo $pid; exec sleep 1000' 2> /dev/null`
    const { pid, execution } = await whileAnotherRuns(() => leftBy(leaving(tree)))
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(execution.processesEnded).toBe(5)
  })

  it.each([
    ['in a session of its own', inSession],
    ['by a double fork without the environment', doubleEmptied],
    ['that keeps its environment and takes off the mark', marked],
    ['in its session, without the environment and the mark', `ulimit -S -x 3; ${job}`],
    [
      'in its session by a double fork, without the environment and the mark',
      `ulimit -S -x 3; echo $(${job})`,
    ],
  ])('%s is not ended with an execution that is not its own', async (_, script) => {
    const other = await begin(`${script}; exec sleep 1000`)
    const pids: number[] = []
    for await (const { data } of other.output) {
      pids.push(Number(String(data)))
      expect(await endedByAnother()).toBe(0)
      expect(pids.map(isAlive)).toEqual([true])
      other.terminate()
    }
    await other.exit
    expect([pids.map(isAlive), other.processesEnded]).toEqual([[false], 1])
  })

  it('as one that takes the mark of another is ended with that one', async () => {
    const other = await begin('awk "/file locks/ { print \\$4 }" /proc/self/limits; exec sleep 1000')
    const pids: number[] = []
    for await (const { data } of other.output) {
      pids.push((await leftBy(without(String(data).trim()))).pid)
      expect(pids.map(isAlive)).toEqual([true])
      other.terminate()
    }
    await other.exit
    expect([pids.map(isAlive), other.processesEnded]).toEqual([[false], 1])
  })

  it('that comes to us only when its execution is over is ended with the next one', async () => {
    const other = await begin('awk "/file locks/ { print \\$4 }" /proc/self/limits; exec sleep 1000')
    for await (const { data } of other.output) {
      // Its parent passes for another's.
      const hidden = `setsid bash -c 'sleep 1000 > /dev/null 2>&1 & prlimit --pid $$ --locks=${String(data).trim()}: ; echo $! $$; exec env -i /bin/sleep 1000 > /dev/null 2>&1'`
      const execution = await begin(`read pids < <(${hidden}); echo $pids`)
      const [pid = 0, parent = 0] = String((await outcome(execution)).stdout)
        .split(' ')
        .map(Number)
      expect([pid, parent].map(isAlive)).toEqual([true, true])
      await end(parent)
      expect(await endedByAnother()).toBe(1)
      expect(isAlive(pid)).toBe(false)
      other.terminate()
    }
    await other.exit
  })

  it('and has ended is collected and not counted', async () => {
    const { pid, execution } = await leftBy(
      `${leaving(`setsid sh -c 'echo $$'`)}; while kill -0 $pid 2> /dev/null; do :; done`,
    )
    await waitFor(() => !existsSync(`/proc/${pid}`))
    expect(execution.processesEnded).toBe(0)
  })

  it('is ended when it answers the signal with a new process, and both are counted', async () => {
    const stubborn = `setsid bash -c 'trap "setsid sleep 1000 & exit" TERM; echo $$; while :; do sleep 0.01; done' 2> /dev/null`
    const { execution } = await leftBy(leaving(stubborn))
    expect(execution.processesEnded).toBeGreaterThanOrEqual(2)
  })
})

describe('an execution that leaves its background processes', () => {
  let left: number[] = []
  const leave = async (script: string) => {
    const { pid, execution } = await leftBy(script, { background: 'leave' })
    left.push(pid)
    return { pid, execution }
  }
  afterEach(async () => {
    for (const pid of left.filter(isAlive)) await end(pid)
    left = []
  })

  it.each([
    ['in its group', inGroup],
    ['in a session of its own', inSession],
    ['by a double fork', doubleForked],
    ['in its session, in another group, without the environment', job],
    ['in a session of its own without the environment', emptied],
  ])('leaves one %s alone, later executions do so too, and its end is collected', async (_, script) => {
    const { pid, execution } = await leave(script)
    expect([isAlive(pid), execution.processesEnded]).toEqual([true, 0])
    execution.terminate()
    await execution[Symbol.asyncDispose]()
    expect(await endedByAnother()).toBe(0)
    expect(isAlive(pid)).toBe(true)
    await end(pid)
  })

  it.each([
    ['in its group', inGroup, 0],
    ['in a session of its own', inSession, 1],
    ['in its session, in another group, without the environment', job, 1],
    ['in a session of its own without the environment', emptied, 1],
  ])('ends one %s when it is terminated', async (_, script, counted) => {
    const execution = await begin(`${script}; exec sleep 1000`, { background: 'leave' })
    const pids: number[] = []
    for await (const { data } of execution.output) {
      pids.push(Number(String(data)))
      execution.terminate()
    }
    expect(await execution.exit).toEqual({ kind: 'signaled', signal: 'SIGTERM' })
    expect([pids.map(isAlive), execution.processesEnded]).toEqual([[false], counted])
  })

  it('may leave one that comes to us only later, when its parent ends', async () => {
    const chain = `setsid sh -c 'setsid env -i /bin/sh -c "echo \\$\\$ \\$PPID; exec sleep 1000 > /dev/null 2>&1" & wait'`
    const execution = await begin(`read pids < <(${chain}); echo $pids`, { background: 'leave' })
    const { stdout } = await outcome(execution)
    const [pid = 0, parent = 0] = String(stdout).split(' ').map(Number)
    left.push(pid)
    expect([pid, parent].map(isAlive)).toEqual([true, true])
    await end(parent)
    expect(await endedByAnother()).toBe(0)
    expect(isAlive(pid)).toBe(true)
  })

  it('is not robbed of them by an execution that ends while its output is still read', async () => {
    const execution = await begin(emptied, { background: 'leave' })
    for await (const { data } of execution.output) {
      left.push(Number(String(data)))
      await waitFor(() => !existsSync(`/proc/${String(execution.pid)}`))
      expect(await endedByAnother()).toBe(0)
    }
    await execution.exit
    expect(left.map(isAlive)).toEqual([true])
  })

  it('takes nothing from others: what is nobody’s is ended again when all that was left has ended', async () => {
    const { pid } = await leave(inSession)
    await end(pid)
    const { pid: stray, execution } = await leftBy(emptied)
    expect([isAlive(stray), execution.processesEnded]).toEqual([false, 1])
  })
})
