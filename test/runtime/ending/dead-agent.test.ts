import { signalChild } from '../../../src/basics/signals.ts'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { endProcessesOf, processesOf, signalIfStill } from '../../../src/runtime/ending/orphans.ts'
import { processEntry } from '../../../src/runtime/ending/process-table.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { engine } from '../../support/sites/execute.ts'
import { commandLineOf, isAlive } from '../../support/machine/processes.ts'
import { found, waitFor } from '../../support/wait.ts'

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
    expect(await endProcessesOf(agent, 200)).toBeGreaterThanOrEqual(before)
    expect(agent.commands()).toEqual([])
  })

  it('one that is stopped, by SIGTERM', async () => {
    await using agent = new AgentLike(['SLEEP & kill -STOP $!; kill -STOP $$; wait'])
    await waitFor(() => agent.commands().filter(isStopped).length === 2)
    await agent.kill()
    // The grace is longer than the test may take.
    expect(await endProcessesOf(agent, 100_000)).toBe(2)
    expect(agent.commands()).toEqual([])
  })

  it('one that tidies up when it gets SIGTERM, for which it has its grace', async () => {
    using place = new Workplace()
    const tidied = place.at('tidied')
    await using agent = new AgentLike([`trap "touch ${tidied}; exit" TERM; SLEEP & wait`])
    await waitFor(() => agent.sleeping().length === 1)
    await agent.kill()
    await endProcessesOf(agent, 100_000)
    expect([agent.commands(), existsSync(tidied)]).toEqual([[], true])
  })

  it('many at once, each counted once, and no descriptor is kept', async () => {
    await using agent = new AgentLike(Array.from({ length: 20 }, () => 'exec SLEEP'))
    await waitFor(() => agent.sleeping().length === 20)
    await agent.kill()
    const descriptors = readdirSync('/proc/self/fd').length
    expect(await engine.endProcessesOf(agent, 2000)).toBe(20)
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
    expect(await endProcessesOf(killed, 200)).toBe(1)
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
      expect(await endProcessesOf({ instance: other, marker: marker.slice(0, -1) }, 0)).toBe(0)
      expect(await endProcessesOf({ instance: other, marker: marker.slice(1) }, 0)).toBe(0)
    }
    expect(agent.sleeping().length).toBe(2)
    expect(await endProcessesOf(agent, 200)).toBe(2)
  })

  it('who looks, whoever started it, and what those started without the marks', async () => {
    await using agent = new AgentLike(['(ulimit -S -x unlimited; exec setsid env -i SLEEP) & SLEEP & wait'])
    await waitFor(() => agent.sleeping().length === 2)
    const [parent = 0, unmarked = 0, marked = 0] = [
      agent.commands().find((pid) => !agent.sleeping().includes(pid)),
      agent.sleeping().find((pid) => processEntry(pid)?.session === pid),
      agent.sleeping().find((pid) => processEntry(pid)?.session !== pid),
    ]
    const pidsFor = (self: number) => new Set(processesOf(agent, self).map(({ pid }) => pid))
    expect(pidsFor(process.pid)).toEqual(new Set([parent, unmarked, marked]))
    expect(pidsFor(parent)).toEqual(new Set([marked]))
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
