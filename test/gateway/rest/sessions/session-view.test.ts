import { expect, it } from 'vitest'
import type { SessionSummary } from '../../../../src/gateway/history/session.ts'
import { stateOf } from '../../../../src/gateway/sessions/session-state.ts'
import { listedSession } from '../../../../src/gateway/rest/sessions/session-view.ts'

const open: SessionSummary = {
  ...{ id: 's', status: 'open', exitCode: undefined, startedAt: new Date(0), user: 'ann', verb: 'exec' },
  clockAt: new Date(0),
  ...{ origin: 'client-api', connection: 'pg', connectionType: 'database', labels: {}, metadata: {} },
  ...{ truncatedBytes: 0, redactedBytes: 0, outputBytes: 169 },
}
const repositories = { called: () => undefined }
const services = { users: { isConnection: () => false }, sessions: { stateOf }, repositories }
const masked = { err_count: 1, info_types: { URL: 2 }, total_redact_count: 2, transformed_bytes: 40 }
const nothing = { err_count: 0, info_types: {}, total_redact_count: 0, transformed_bytes: 0 }

it('a session has metrics in the form of hoop when it has ended, and null before', () => {
  const done = { ...open, status: 'done' } as const
  expect(listedSession(services, open)).toMatchObject({ metrics: null })
  expect(listedSession(services, done)).toMatchObject({
    metrics: { data_masking: nothing, event_size: 169, truncated: false },
  })
  expect(
    listedSession(services, { ...done, masking: JSON.stringify(masked), truncatedBytes: 1 }),
  ).toMatchObject({
    metrics: { data_masking: masked, event_size: 169, truncated: true },
  })
})
