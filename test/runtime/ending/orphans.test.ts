import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { signalChild } from '../../../src/basics/signals.ts'
import {
  adoptOrphans,
  endProcessesOfAgent,
  processesOf,
  signalIfStill,
} from '../../../src/runtime/ending/orphans.ts'
import { processEntry } from '../../../src/runtime/ending/process-table.ts'
import type { Execution } from '../../../src/runtime/execution.ts'
import { commandLineOf, isAlive } from '../../support/machine/processes.ts'
import { engine, outcome, type Run, start } from '../../support/sites/execute.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { found, waitFor } from '../../support/wait.ts'

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

/** Like an agent that runs commands: a process whose children have a marker of its instance, as sessions of their own. */
class AgentLike implements AsyncDisposable {
  /** Stands in the arguments of all its commands, by which they are found again. */
  readonly token = `1000.${BigInt(`0x${randomUUID().slice(0, 8)}`)}`
  readonly instance = randomUUID()
  readonly marker = `RUNBOOK_AGENT_INSTANCE=${this.instance}`
  readonly #process

  constructor(commands: readonly string[]) {
    const words = commands.map((command) => command.replaceAll('SLEEP', `/bin/sleep ${this.token}`))
    const script = words
      .map(
        (command) =>
          `(ulimit -S -x ${markOf(this.instance)}; ${this.marker} exec setsid bash -c '${command}') & `,
      )
      .join('')
    this.#process = spawn('bash', ['-c', `${script} exec sleep 1000`], { stdio: 'ignore' })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** All processes below it, or left behind by it, that run. */
  commands(): number[] {
    return pids().filter((pid) => pid !== this.pid && commandLineOf(pid).includes(this.token) && isAlive(pid))
  }

  /** Those that have nothing more to start. */
  sleeping(): number[] {
    return this.commands().filter((pid) => commandLineOf(pid) === `/bin/sleep ${this.token} `)
  }

  async kill(): Promise<void> {
    const ended = once(this.#process, 'exit')
    signalChild(this.#process, 'SIGKILL')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.signalCode === null) await this.kill()
    await waitFor(() => {
      for (const pid of this.commands()) process.kill(pid, 'SIGKILL')
      return this.commands().length === 0
    })
  }
}

/** Of an execution of the agent: the first ten digits of its name, then 23 bits. */
function markOf(instance: string): bigint {
  return BigInt(`0x${instance.replace('-', '').slice(0, 10)}`) * 2n ** 23n + 7n
}

/** The name whose agent has the next mark, or the one before. */
function nameAt(instance: string, offset: number): string {
  const last = (BigInt(`0x${instance.slice(9, 11)}`) + BigInt(offset) + 256n) % 256n
  return `${instance.slice(0, 9)}${last.toString(16).padStart(2, '0')}${instance.slice(11)}`
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function isStopped(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T ')
  } catch {
    return false
  }
}

describe('what the commands of a killed agent left behind is ended:', () => {
  it.each([
    ['the command', 1, 'exec SLEEP'],
    ['its children', 2, 'SLEEP & SLEEP & wait'],
    ['a child in a session of its own', 1, 'setsid SLEEP & wait'],
    ['a double fork whose parent has ended', 1, '(setsid SLEEP &)'],
    ['one without the environment, in the session', 2, '(env -i SLEEP &); exec SLEEP'],
    ['one without the environment, in a session of its own', 2, 'setsid env -i SLEEP & exec SLEEP'],
    ['a double fork without the environment, in a session of its own', 1, '(setsid env -i SLEEP &)'],
    ['one that took off its mark', 1, 'ulimit -S -x unlimited; exec SLEEP'],
    ['one that has another mark', 1, 'ulimit -S -x 1; exec SLEEP'],
    ['one that ignores SIGTERM', 1, 'trap "" TERM; exec SLEEP'],
    ['one that starts others when it is told to end', 1, 'trap "setsid SLEEP & exit" TERM; SLEEP & wait'],
  ])('%s', async (_, sleeping, command) => {
    await using agent = new AgentLike([command])
    await waitFor(() => agent.sleeping().length === sleeping)
    await agent.kill()
    const before = agent.commands().length
    expect(await endProcessesOfAgent(agent, 200)).toBeGreaterThanOrEqual(before)
    expect(agent.commands()).toEqual([])
  })

  it('one that is stopped, by SIGTERM', async () => {
    await using agent = new AgentLike(['SLEEP & kill -STOP $!; kill -STOP $$; wait'])
    await waitFor(() => agent.commands().filter(isStopped).length === 2)
    await agent.kill()
    // The grace is longer than the test may take.
    expect(await endProcessesOfAgent(agent, 100_000)).toBe(2)
    expect(agent.commands()).toEqual([])
  })

  it('one that tidies up when it gets SIGTERM, for which it has its grace', async () => {
    using place = new Workplace()
    const tidied = place.at('tidied')
    await using agent = new AgentLike([`trap "touch ${tidied}; exit" TERM; SLEEP & wait`])
    await waitFor(() => agent.sleeping().length === 1)
    await agent.kill()
    await endProcessesOfAgent(agent, 100_000)
    expect([agent.commands(), existsSync(tidied)]).toEqual([[], true])
  })

  it('many at once, each counted once, and no descriptor is kept', async () => {
    await using agent = new AgentLike(Array.from({ length: 20 }, () => 'exec SLEEP'))
    await waitFor(() => agent.sleeping().length === 20)
    await agent.kill()
    const descriptors = readdirSync('/proc/self/fd').length
    expect(await engine.endProcessesOfAgent(agent, 2000)).toBe(20)
    expect(agent.commands()).toEqual([])
    expect(readdirSync('/proc/self/fd').length).toBe(descriptors)
  })
})

describe('nothing else is ended:', () => {
  it('the commands of another agent that lives, and its own', async () => {
    await using killed = new AgentLike(['exec SLEEP'])
    await using living = new AgentLike(['SLEEP & setsid env -i SLEEP & wait'])
    await waitFor(() => killed.sleeping().length === 1 && living.sleeping().length === 2)
    await killed.kill()
    const before = living.commands()
    expect(await endProcessesOfAgent(killed, 200)).toBe(1)
    expect(living.commands()).toEqual(before)
    expect(isAlive(living.pid)).toBe(true)
  })

  it('one whose marker only begins or ends like it, and one whose mark is a neighbour’s', async () => {
    await using agent = new AgentLike(['exec SLEEP', 'exec env -i SLEEP'])
    await waitFor(() => agent.sleeping().length === 2)
    const { instance, marker } = agent
    const before = nameAt(instance, -1)
    const behind = nameAt(instance, 1)
    for (const other of [before, behind]) {
      expect(await endProcessesOfAgent({ instance: other, marker: marker.slice(0, -1) }, 0)).toBe(0)
      expect(await endProcessesOfAgent({ instance: other, marker: marker.slice(1) }, 0)).toBe(0)
    }
    expect(agent.sleeping().length).toBe(2)
    expect(await endProcessesOfAgent(agent, 200)).toBe(2)
  })

  it('who looks and its group, whoever started it, and what those started without the marks', async () => {
    await using agent = new AgentLike(['(ulimit -S -x unlimited; exec setsid env -i SLEEP) & SLEEP & wait'])
    await waitFor(() => agent.sleeping().length === 2)
    const [parent = 0, unmarked = 0, marked = 0] = [
      agent.commands().find((pid) => !agent.sleeping().includes(pid)),
      agent.sleeping().find((pid) => processEntry(pid)?.session === pid),
      agent.sleeping().find((pid) => processEntry(pid)?.session !== pid),
    ]
    const pidsFor = (self: number) => new Set(processesOf(agent, self).map(({ pid }) => pid))
    expect(pidsFor(process.pid)).toEqual(new Set([parent, unmarked, marked]))
    // The one that it has started is in its group.
    expect(pidsFor(parent)).toEqual(new Set())
    expect(pidsFor(marked)).toEqual(new Set())
    expect(pidsFor(unmarked)).toEqual(new Set([marked]))
  })

  it('a process that has got the number of another', async () => {
    await using agent = new AgentLike(['exec SLEEP'])
    const one = await found(() => agent.sleeping().map(processEntry)[0])
    const earlier = { ...one, startTime: String(Number(one.startTime) - 1) }
    expect(signalIfStill(earlier, 'SIGKILL')).toBe(false)
    expect(isAlive(one.pid)).toBe(true)
    expect(signalIfStill(one, 'SIGKILL')).toBe(true)
    await waitFor(() => !isAlive(one.pid))
    expect(signalIfStill(one, 'SIGKILL')).toBe(false)
  })
})
