import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TerminationReason } from '../../../src/agent/running/ending.ts'
import { OUTCOMES, outcomeOf, type StateName } from '../../../src/contract/session-state.ts'
import { STATES_OF_CAUSES } from '../../../src/gateway/history/end-states.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { agentsCause, stateOf } from '../../../src/gateway/sessions/session-state.ts'
import type { Review } from '../../../src/gateway/reviews/review.ts'

const DONE = { status: 'done', exitCode: 254 } as const
const ended = (code: string, by?: string) => {
  const { name, text } = stateOf({ ...DONE, cause: { code, ...(by !== undefined && { by }) } })
  return [name, text]
}
const review = (status: Review['status'], type: Review['type'] = 'onetime'): Review => ({
  ...{ id: 'r', sessionId: 's', connection: 'pg', owner: 'ann', type, status, accessMs: 0, createdAt: 0 },
  groups: [{ id: 'g', group: 'dba', status: 'REJECTED', reviewedBy: 'bea', forced: false }],
  ...{ expiresAt: 0, minimum: 1, forceGroups: [], selfApproval: false },
  shown: { scriptDigest: { kind: 'sha256', hex: '00' }, clientArgs: [], envVars: [] },
})

/**
 * The state for each reason of an agent. For a reason with `failed`, the state shows only the exit code:
 * for `closed-by-gateway` and `gateway-lost`, the gateway records its own cause.
 */
const STATE_OF_REASON: Readonly<Record<TerminationReason | 'refused', StateName>> = {
  'closed-by-gateway': 'failed',
  'gateway-lost': 'failed',
  'agent-stopping': 'agent-stopped',
  timeout: 'timed-out',
  'output-limit': 'limit-reached',
  'input-limit': 'limit-reached',
  guardrails: 'blocked',
  masking: 'failed',
  policy: 'refused',
  refused: 'refused',
  'started-before': 'refused',
}

describe('the state of a session', () => {
  it('is what a session waits for, whether it runs, and how its command has ended', () => {
    const open = { status: 'open', exitCode: undefined } as const
    expect(stateOf({ ...open, review: review('PENDING') }).name).toBe('waiting-for-approval')
    expect(stateOf({ ...open, status: 'ready', review: review('APPROVED') }).name).toBe('approved')
    expect(stateOf({ ...open, review: review('PROCESSING') }).name).toBe('running')
    expect(stateOf({ status: 'done', exitCode: 0 }).text).toBe('succeeded')
    expect(stateOf({ status: 'done', exitCode: 3 }).text).toBe('failed (3)')
  })

  it('names the agent that a session waits for, and until when', () => {
    const until = new Date(1000)
    expect(stateOf({ status: 'open', exitCode: undefined }, { agent: 'west', until })).toEqual({
      ...{ name: 'waiting-for-agent', text: 'waits for agent west', agent: 'west', until },
    })
  })

  it('names the lock that a session waits for, who has it and since when', () => {
    const holder = { sid: 'x', user: 'bea', since: 1000 }
    const open = { status: 'open', exitCode: undefined } as const
    expect(stateOf(open, { lock: 'deploy', holder, ahead: 0 })).toEqual({
      ...{ name: 'waiting-for-lock', lock: 'deploy', by: 'bea', since: new Date(1000) },
      text: 'waits for lock deploy, held by bea',
    })
    expect(stateOf(open, { lock: 'deploy', holder: undefined, ahead: 2 }).text).toBe(
      'waits for lock deploy; sessions ahead in the queue: 2',
    )
  })

  it.each([
    ['session-killed', 'ann', 'stopped', 'stopped by ann'],
    ['client-left', undefined, 'closed', 'closed'],
    ['session-expired', undefined, 'timed-out', 'time limit reached'],
    ['timeout', undefined, 'timed-out', 'time limit reached'],
    ['access-ended', undefined, 'timed-out', 'time limit reached'],
    ['access-ended', 'bea', 'revoked', 'approval revoked by bea'],
    ['rejected', 'bea', 'rejected', 'rejected by bea'],
    ['withdrawn', 'ann', 'withdrawn', 'withdrawn by ann'],
    ['expired', undefined, 'expired', 'expired, because nobody approved or ran the session in time'],
    ['agent-lost', undefined, 'agent-lost', 'agent was lost'],
    ['gateway-draining', undefined, 'gateway-stopped', 'gateway was stopped'],
    ['lock-busy', undefined, 'lock-busy', 'waited too long for a lock'],
    ['refused', undefined, 'refused', 'refused'],
    ['constructor', undefined, 'failed', 'failed (254)'],
  ] as const)('says why a session has ended: %s, %s', (code, by, name, text) => {
    expect(ended(code, by)).toEqual([name, text])
  })

  it.each(Object.entries(STATE_OF_REASON))('follows from the reason of an agent: %s, %s', (reason, name) => {
    const code = agentsCause(reason)
    expect(stateOf({ ...DONE, ...(code !== undefined && { cause: { code } }) }).name).toBe(name)
  })

  it('is the outcome by which the history finds sessions, for each end', () => {
    const folder = mkdtempSync(join(tmpdir(), 'history-'))
    const history = openHistory(join(folder, 'history.sqlite'))
    try {
      const causes = [undefined, 'unheard-of', ...Object.keys(STATES_OF_CAUSES)]
      const ends = causes.flatMap((code) =>
        [undefined, 'bea'].flatMap((by) =>
          [undefined, 0, 3].flatMap((exitCode) =>
            [undefined, '[]'].map((guardrails) => ({
              ...{ exitCode, truncatedBytes: 0, endedAt: new Date() },
              ...(guardrails !== undefined && { guardrails }),
              ...(code !== undefined && { cause: { code, ...(by !== undefined && { by }) } }),
            })),
          ),
        ),
      )
      for (const [at, end] of ends.entries()) {
        const id = `s${at}`
        history.begin({
          ...{ id, origin: 'client-api', verb: 'exec', user: 'ann', connection: 'pg', connectionType: 'pg' },
          ...{ labels: {}, metadata: {}, script: Buffer.alloc(0), startedAt: new Date() },
        })
        history.finish(id, end)
      }
      for (const outcome of OUTCOMES) {
        const found: string[] = []
        for (const page of history.walk({ outcomes: [outcome], limit: 1, offset: 0 }, 0))
          found.push(...page.map(({ session }) => session.id))
        const expected = ends.flatMap((end, at) =>
          outcomeOf(stateOf({ status: 'done', ...end }).name) === outcome ? [`s${at}`] : [],
        )
        expect([outcome, found]).toEqual([outcome, expected])
      }
    } finally {
      history.close()
      rmSync(folder, { recursive: true })
    }
  })

  it('knows of sessions of older versions what their reviews and rules say', () => {
    expect(stateOf({ ...DONE, review: review('REJECTED') }).text).toBe('rejected by bea')
    expect(stateOf({ ...DONE, exitCode: 0, review: review('REVOKED', 'jit') }).name).toBe('succeeded')
    expect(stateOf({ ...DONE, guardrails: '[]' }).name).toBe('blocked')
  })
})
