import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import type { AgentState } from '../../src/agent/state.ts'
import { parseKey, type Identity, type IdentitySource } from '../../src/agent/connection/identity.ts'
import { own } from '../support/owned.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { found, waitFor } from '../support/wait.ts'

/** So long that it does not happen within a test. */
const NEVER_MS = 1_000_000
const never = { shortestMs: NEVER_MS, firstMs: NEVER_MS, longestMs: NEVER_MS }

/** A gateway that refuses so many streams in one way, and then takes them. */
async function refusing(times: number, code: status, details: string): Promise<ScriptedGateway> {
  const gateway = own(await ScriptedGateway.start())
  let streams = 0
  gateway.onStream = (stream) => {
    streams += 1
    if (streams > times) gateway.accept(stream)
    else stream.emit('error', Object.assign(new Error(details), { code, details }))
  }
  return gateway
}

function linesOf({ log }: RunningAgent, name: AgentState['name']): string[] {
  return log.filter((line) => line.startsWith(`agent ${name} `))
}

describe('each state says what is true in it', () => {
  it('serving: since when, with which gateway, after how many reconnects', async () => {
    const gateway = own(await ScriptedGateway.start())
    const running = own(await RunningAgent.start(gateway.key(), { life: { timing: quickTiming } }))
    const before = performance.now()
    await running.serving()
    const { since, ...state } = running.agent.state
    expect(state).toEqual({ name: 'serving', gateway: `127.0.0.1:${gateway.port}`, reconnects: 0 })
    expect(since.monotonicMs).toBeLessThanOrEqual(performance.now())
    expect(since.monotonicMs).toBeGreaterThan(before - 10_000)
    expect(Math.abs(since.wall.getTime() - Date.now())).toBeLessThan(60_000)
    gateway.stream?.end()
    await waitFor(() => running.agent.state.reconnects === 1)
    expect(running.agent.state.since.monotonicMs).toBeGreaterThan(since.monotonicMs)
  })

  it('waiting: why, and for how long', async () => {
    const timing = { ...quickTiming, backoff: { ...quickTiming.backoff, lost: never } }
    const running = own(
      await RunningAgent.start('grpc://a:xagt-0123456789@127.0.0.1:1', { life: { timing } }),
    )
    await waitFor(() => running.agent.state.name === 'waiting')
    expect(running.agent.state).toMatchObject({ reason: 'connect ECONNREFUSED 127.0.0.1:1', ms: NEVER_MS })
  })

  it('refused: the key, for longer, until it is told to try again', async () => {
    const gateway = await refusing(1, status.UNAUTHENTICATED, 'invalid authentication')
    const timing = { ...quickTiming, backoff: { ...quickTiming.backoff, refused: never } }
    const running = own(await RunningAgent.start(gateway.key(), { life: { timing } }))
    await waitFor(() => running.agent.state.name === 'refused')
    expect(running.agent.state).toMatchObject({
      reason:
        "the gateway refuses this key: invalid authentication. Check the key and the agent's name at the gateway",
    })
    running.agent.retry()
    await running.serving()
  })

  it('refused: until its credential is renewed', async () => {
    const gateway = await refusing(1, status.UNAUTHENTICATED, 'invalid authentication')
    const timing = { ...quickTiming, backoff: { ...quickTiming.backoff, refused: never } }
    const identity = parseKey(gateway.key(), 'HOOP_KEY')
    let isRenewed = false
    const identities = { current: identity, refresh: () => identity, isRenewed: () => isRenewed }
    const running = own(await RunningAgent.start(gateway.key(), { identities, life: { timing } }))
    await waitFor(() => running.agent.state.name === 'refused')
    isRenewed = true
    await running.serving()
  })

  it('draining and stopped: nothing else', async () => {
    const gateway = own(await ScriptedGateway.start())
    const running = own(await RunningAgent.start(gateway.key()))
    await running.serving()
    running.agent.drain()
    expect(running.agent.state).toMatchObject({ name: 'draining', reconnects: 0 })
    await waitFor(() => running.agent.state.name === 'stopped')
  })
})

it('a conflict is tried again until the gateway has noticed the end of the last stream', async () => {
  const gateway = await refusing(4, status.FAILED_PRECONDITION, 'agent already connected')
  const running = own(await RunningAgent.start(gateway.key(), { life: { timing: quickTiming } }))
  await running.serving()
  expect(linesOf(running, 'conflict')).toHaveLength(4)
  expect(linesOf(running, 'conflict')[0]).toContain(
    "agent already connected: another agent uses this key, or the gateway still has this agent's last stream",
  )
  expect(linesOf(running, 'waiting')).toEqual([])
})

describe('the identity', () => {
  it('is asked for before each attempt: a key that was rotated is taken, with the address in it', async () => {
    const [old, next] = [own(await ScriptedGateway.start()), own(await ScriptedGateway.start())]
    let current = parseKey(old.key('agent'), 'HOOP_KEY')
    const identities: IdentitySource = {
      get current(): Identity {
        return current
      },
      refresh: () => current,
      isRenewed: () => false,
    }
    const running = own(await RunningAgent.start(old.key(), { identities, life: { timing: quickTiming } }))
    await running.serving()
    current = parseKey(next.key('agent'), 'HOOP_KEY')
    // A stream that stands is left alone.
    running.agent.retry()
    expect(running.agent.state.name).toBe('serving')
    old.stream?.end()
    await found(() => next.stream)
    await running.serving()
    expect(running.agent.state.gateway).toBe(`127.0.0.1:${next.port}`)
    expect(next.metadata[0]?.['authorization']).toBe(`Bearer ${next.key('agent')}`)
  })
})
