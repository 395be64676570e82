import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AgentSession } from '../../../src/agent/session.ts'
import { type Job, RunningCommand } from '../../../src/agent/running/running-command.ts'
import type { SessionReply } from '../../../src/agent/running/services.ts'
import { collectHeap } from '../../../src/commands/start/idle-memory.ts'
import { openCommand } from '../../../src/commands/client/local/execution.ts'
import { Entry } from '../../../src/envvars/entry.ts'
import type { SessionId } from '../../../src/wire/messages/message.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { isAlive } from '../../support/machine/processes.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'

const KEY = 'grpc://test:xagt-secret@'
const sid = () => randomUUID() as SessionId

async function agentOf(gateway: ScriptedGateway): Promise<RunningAgent> {
  return await RunningAgent.start(`${KEY}127.0.0.1:${gateway.port}?mode=standard`)
}

function asked(script: string): Job {
  const request = {
    ...{ connection: 'test', argv: ['bash'], program: 'bash', entries: [], redactable: [] },
    ...{ captured: true, masking: undefined, restricted: undefined, guardrails: undefined },
    ...{ policy: undefined, clientArguments: 0 },
  }
  return { request, start: { kind: 'script', stdin: Buffer.from(script) } }
}

function sessionOf(agent: RunningAgent, reply: SessionReply): AgentSession {
  const open = openCommand(sid(), 'bash', ['bash'], { user: 'u', envVars: new Map(), clientArgs: [] })
  return new AgentSession(open, { ...agent.services, embedded: false }, reply)
}

describe('a command', () => {
  it('gives its output, and then its end, when nothing of it is left', async () => {
    await using gateway = await ScriptedGateway.start()
    await using agent = await agentOf(gateway)
    const command = new RunningCommand(sid(), agent.services)
    let output = ''
    const ending = await command.run(asked('echo $$; exit 3'), ({ data }) => void (output += String(data)))
    expect(ending).toMatchObject({ exitCode: 3, outcome: 'exited', reason: undefined })
    expect([isAlive(Number(output)), agent.services.slots.taken]).toEqual([false, 0])
  })

  it('lets go of script and variables once it runs', async () => {
    await using gateway = await ScriptedGateway.start()
    await using agent = await agentOf(gateway)
    const held: WeakRef<object>[] = []
    const hold = <T extends object>(value: T): T => {
      held.push(new WeakRef(value))
      return value
    }
    const job = () => {
      const { request } = asked('')
      const entries = [hold(new Entry('envvar', 'NAME', hold(Buffer.from('value'))))]
      const stdin = hold(Buffer.from('echo runs; exec sleep 1000'))
      return hold({ request: hold({ ...request, entries }), start: hold({ kind: 'script', stdin } as const) })
    }
    const command = new RunningCommand(sid(), agent.services)
    let runs: () => void = () => undefined
    const running = new Promise<void>((resolve) => (runs = resolve))
    const end = command.run(job(), () => runs())
    await running
    await nextTurn()
    collectHeap()
    expect(held.map((one) => one.deref())).toEqual(held.map(() => undefined))
    command.end('agent-stopping')
    await end
  })

  it('lets its session go of the script once it runs', async () => {
    await using gateway = await ScriptedGateway.start()
    await using agent = await agentOf(gateway)
    let runs: () => void = () => undefined
    const running = new Promise<void>((resolve) => (runs = resolve))
    let held: WeakRef<Buffer> | undefined
    const session = sessionOf(agent, (message) => {
      if (message.kind === 'stdout') runs()
      if (message.kind !== 'opened') return Promise.resolve()
      const script = Buffer.from('echo runs; exec sleep 1000')
      held = new WeakRef(script)
      session.startScript(script)
      return Promise.resolve()
    })
    const over = session.run()
    await running
    await nextTurn()
    collectHeap()
    expect([held === undefined, held?.deref()]).toEqual([false, undefined])
    session.end('agent-stopping')
    await over
  })

  it('that was ended before it is run never starts', async () => {
    await using gateway = await ScriptedGateway.start()
    await using agent = await agentOf(gateway)
    const command = new RunningCommand(sid(), agent.services)
    command.end('agent-stopping')
    command.end('timeout')
    const ending = await command.run(asked('echo ran'), (chunk) => expect(chunk).toBeUndefined())
    expect(ending).toMatchObject({ outcome: 'not-started', reason: 'agent-stopping' })
  })

  it('is ended when its output cannot be taken, and does not say that it succeeded', async () => {
    await using gateway = await ScriptedGateway.start()
    await using agent = await agentOf(gateway)
    const command = new RunningCommand(sid(), agent.services)
    let pid = 0
    const ending = await command.run(asked('echo $$; exec sleep 1000'), ({ data }) => {
      pid = Number(String(data))
      throw new RangeError('a bug')
    })
    expect(ending).toMatchObject({ exitCode: 254, outcome: 'failed' })
    expect([isAlive(pid), agent.services.slots.taken]).toEqual([false, 0])
  })

  it('whose output a bug of ours loses is no success', async () => {
    await using gateway = await ScriptedGateway.start()
    await using agent = await agentOf(gateway)
    const replies: Parameters<SessionReply>[0][] = []
    const session = sessionOf(agent, (message) => {
      if (message.kind === 'opened') session.startScript(Buffer.from('echo lost'))
      // The only thing here that is not real: no bug is known.
      if (message.kind === 'stdout') return Promise.reject(new RangeError('a bug'))
      replies.push(message)
      return Promise.resolve()
    })
    await session.run()
    expect(replies.at(-1)).toMatchObject({ kind: 'closed', exitCode: 254 })
    expect(agent.log.filter((line) => line.startsWith('execution failed: this is a bug'))).toHaveLength(1)
  })
})
