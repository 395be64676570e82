import { describe, expect, it } from 'vitest'
import { RETRY_GROUPS, type RetryGroup } from '../../../src/contract/batch-requests.ts'
import { STATE_NAMES, type StateName } from '../../../src/contract/session-state.ts'
import type { BatchRun } from '../../../src/gateway/batches/batch.ts'
import { retryGroup, type RunTrace } from '../../../src/gateway/batches/retry-group.ts'

const RUN = { position: 0, wave: 1, connection: 'c-1' } as const
const failed = (more: Partial<BatchRun> = {}): BatchRun => ({
  ...RUN,
  status: 'failed',
  session: 's-1',
  exitCode: 3,
  ...more,
})
const beganAt = new Date(0)
const rules = (...directions: readonly string[]) =>
  JSON.stringify(directions.map((direction) => ({ rule_name: 'no-drops', rule: {}, direction })))

/** The group of each state, after the agent had the script and before. */
const GROUPS: Readonly<Record<StateName, readonly [begun: RetryGroup, before: RetryGroup]>> = {
  failed: ['failed', 'failed'],
  blocked: ['may-have-run', 'may-have-run'],
  refused: ['never-began', 'never-began'],
  rejected: ['never-began', 'never-began'],
  revoked: ['never-began', 'never-began'],
  withdrawn: ['never-began', 'never-began'],
  expired: ['never-began', 'never-began'],
  'lock-busy': ['never-began', 'never-began'],
  'agent-offline': ['never-began', 'never-began'],
  stopped: ['may-have-run', 'never-began'],
  closed: ['may-have-run', 'never-began'],
  'timed-out': ['may-have-run', 'never-began'],
  'limit-reached': ['may-have-run', 'never-began'],
  'agent-stopped': ['may-have-run', 'never-began'],
  'gateway-stopped': ['may-have-run', 'never-began'],
  'agent-silent': ['may-have-run', 'may-have-run'],
  'agent-lost': ['may-have-run', 'may-have-run'],
  'gateway-lost': ['may-have-run', 'may-have-run'],
  'waiting-for-approval': ['may-have-run', 'may-have-run'],
  approved: ['may-have-run', 'may-have-run'],
  'waiting-for-lock': ['may-have-run', 'may-have-run'],
  'waiting-for-agent': ['may-have-run', 'may-have-run'],
  running: ['may-have-run', 'may-have-run'],
  succeeded: ['may-have-run', 'may-have-run'],
}

describe('the group of a run in a retry', () => {
  it.each(STATE_NAMES)('follows from the state of its session: %s', (state) => {
    const groups = [retryGroup(failed(), { state, beganAt }), retryGroup(failed(), { state })]
    expect(groups).toEqual(GROUPS[state])
  })

  it.each<[string, BatchRun, RunTrace | undefined, RetryGroup | undefined]>([
    ['succeeded', failed({ status: 'succeeded', exitCode: 0 }), { state: 'succeeded', beganAt }, undefined],
    ['still running', failed({ status: 'running' }), { state: 'running', beganAt }, undefined],
    ['not begun', { ...RUN, status: 'not-begun' }, undefined, 'never-began'],
    [
      'refused before its session',
      { ...RUN, status: 'failed', code: 'not-permitted' },
      undefined,
      'never-began',
    ],
    ['begun at the kill of the gateway', failed({ status: 'unknown' }), undefined, 'may-have-run'],
    ['no longer recorded', failed(), undefined, 'may-have-run'],
    [
      'ended without an exit code',
      { ...RUN, status: 'failed', session: 's-1' },
      { state: 'failed', beganAt },
      'may-have-run',
    ],
    [
      'blocked for its input',
      failed(),
      { state: 'blocked', beganAt, guardrails: rules('input') },
      'never-began',
    ],
    [
      'blocked for its output',
      failed(),
      { state: 'blocked', beganAt, guardrails: rules('output') },
      'may-have-run',
    ],
    [
      'blocked for both',
      failed(),
      { state: 'blocked', beganAt, guardrails: rules('input', 'output') },
      'may-have-run',
    ],
    [
      'blocked by nobody knows what',
      failed(),
      { state: 'blocked', beganAt, guardrails: 'null' },
      'may-have-run',
    ],
    [
      'started before',
      failed(),
      { state: 'refused', beganAt, cause: { code: 'started-before' } },
      'may-have-run',
    ],
  ])('of a run that is %s', (_, run, trace, group) => {
    expect(retryGroup(run, trace)).toBe(group)
  })

  it('is never "never began" for a run whose script the agent had, whatever its state, unless the agent refused it or nobody asked the agent', () => {
    const certain = ['refused', 'rejected', 'revoked', 'withdrawn', 'expired', 'lock-busy', 'agent-offline']
    for (const state of STATE_NAMES.filter((name) => !certain.includes(name)))
      for (const status of ['failed', 'unknown'] as const)
        expect([state, retryGroup(failed({ status }), { state, beganAt })]).not.toEqual([
          state,
          'never-began',
        ])
    expect(RETRY_GROUPS).toHaveLength(3)
  })
})
