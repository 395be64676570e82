import { expect, it } from 'vitest'
import { ConnectError } from '../../src/dial/connect-error.ts'
import { between, StateLog, type AgentPhase } from '../../src/agent/state.ts'

/** What is logged of these phases, each so many ms after the one before: level and message. */
function logged(phases: readonly AgentPhase[], stepMs = 10_000): string[] {
  const lines: string[] = []
  const write = (level: string) => (_: object, message: string) => void lines.push(`${level} ${message}`)
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const states = new StateLog(log, 60_000)
  phases.forEach((phase, i) => {
    const since = { monotonicMs: i * stepMs, wall: new Date() }
    states.tell({ ...phase, since, gateway: 'gateway.test:8443', reconnects: 0 })
  })
  return lines
}

const connecting: AgentPhase = { name: 'connecting' }
const conflict = between(new ConnectError('conflict', 'agent already connected'), 5000)
const lost = between(new ConnectError('lost', 'read ECONNRESET'), 500)

it('a conflict that goes on is logged once in a minute, and the attempts in it are not', () => {
  expect(logged([connecting, conflict, connecting, conflict, connecting, conflict])).toEqual([
    'info agent connecting',
    'warn agent conflict',
    'debug agent connecting',
    'debug agent conflict',
    'debug agent connecting',
    'debug agent conflict',
  ])
  const lines = logged([conflict, connecting, conflict, connecting, conflict], 30_000)
  expect(lines.filter((line) => line === 'warn agent conflict')).toHaveLength(3)
})

it('a conflict after another state is logged at once', () => {
  expect(logged([conflict, connecting, lost, connecting, conflict])).toEqual([
    'warn agent conflict',
    'debug agent connecting',
    'warn agent waiting',
    'info agent connecting',
    'warn agent conflict',
  ])
})

it('a conflict that is over is not in the way of the next', () => {
  expect(logged([conflict, connecting, { name: 'serving' }, conflict]).slice(2)).toEqual([
    'info agent serving',
    'warn agent conflict',
  ])
})

it('each end of a stream is a state of its own, with its reason', () => {
  expect([conflict.name, lost.name, between(new ConnectError('refused', 'no'), 1).name]).toEqual([
    'conflict',
    'waiting',
    'refused',
  ])
  expect(lost).toMatchObject({ reason: 'read ECONNRESET', ms: 500 })
})
