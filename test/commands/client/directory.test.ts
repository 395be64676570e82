import { describe, expect, it } from 'vitest'
import { itemTable } from '../../../src/basics/text/table.ts'
import type { Read } from '../../../src/client/rest/call.ts'
import type { AgentAnswer } from '../../../src/contract/agents.ts'
import type { ListedConnection } from '../../../src/client/rest/connections.ts'
import type { Review } from '../../../src/client/rest/reviews.ts'
import type { CatalogEntry, Parameter } from '../../../src/client/rest/runbooks.ts'
import type { RecordedSession } from '../../../src/client/rest/sessions.ts'
import {
  AGENT_COLUMNS,
  CONNECTION_COLUMNS,
  connectionDetails,
  RUNBOOK_COLUMNS,
  runbookDetails,
} from '../../../src/commands/client/directory.ts'
import { outcomeText, REVIEW_COLUMNS, reviewDetails } from '../../../src/commands/client/reviews/texts.ts'
import { statementsText } from '../../../src/commands/client/sessions/statements.ts'

const HOSTILE = 'a\u001b[2Jb\u202ec\nd\u009be'
/** Whether a terminal would obey something in the text. */
const obeyed = (text: string) => /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u.test(text)

const agent: Read<AgentAnswer> = {
  ...{ id: 'i', name: HOSTILE, status: 'CONNECTED', version: HOSTILE, hostname: HOSTILE, platform: HOSTILE },
  ...{
    token: '',
    mode: '',
    machine_id: '',
    kernel_version: '',
    goversion: '',
    compiler: '',
    last_contact: '',
  },
  ...{ state: HOSTILE, last_words: HOSTILE, address: HOSTILE, connected_at: '', left_at: '' },
  ...{ refused_at: '2026-01-31T14:30:00Z', refused_from: HOSTILE },
  ...{ sessions: 3, session_limit: 64, connections: [HOSTILE] },
  metadata: { version: HOSTILE },
  raw: {},
}
// Other fields are not shown.
const connection = {
  ...{ name: HOSTILE, type: HOSTILE, subtype: 'pg', status: HOSTILE, agent_id: HOSTILE },
  ...{ access_mode_exec: 'enabled', access_mode_connect_reason: HOSTILE, jira_issue_template_id: HOSTILE },
  ...{ connection_tags: { [HOSTILE]: HOSTILE }, command: [HOSTILE], reviewers: [HOSTILE], raw: {} },
} as unknown as ListedConnection
const parameter: Parameter = {
  ...{ name: HOSTILE, type: 'text', required: false, default: undefined, description: HOSTILE, options: [] },
  ...{ placeholder: '', pattern: undefined, minLength: undefined, maxLength: undefined },
}
const entry: CatalogEntry = {
  runbook: {
    ...{ name: HOSTILE, parameters: [parameter], error: undefined, repository: HOSTILE },
    ...{ title: HOSTILE, description: HOSTILE },
  },
  ...{ connections: [HOSTILE], commit: HOSTILE, raw: {} },
}
const decision = {
  id: '',
  review_date: '',
  reviewed_by: undefined,
  forced_review: false,
  comment: '',
  raw: {},
}
const person = (email: string) => ({ id: 'i', name: 'n', email, slack_id: '', raw: {} })
// Other fields are not shown.
const review = {
  ...{ id: HOSTILE, session: 's', type: 'onetime', status: 'PENDING', created_at: '2026-01-31T14:30:00Z' },
  review_groups_data: [{ ...decision, group: HOSTILE, status: 'PENDING', reviewed_by: person(HOSTILE) }],
  ...{ min_approvals: 1, time_window: undefined, access_duration: 0, batch: undefined, raw: {} },
  ...{ rejection_reason: HOSTILE, withdrawn_by: '', access_request_rule_name: HOSTILE },
  ...{ client_args: [HOSTILE], env_vars: [`envvar:${HOSTILE}`] },
} as unknown as Review
const batch = {
  ...{
    id: `b${HOSTILE}`,
    waves: [['web-01'], ['web-02', HOSTILE]],
    connections: 3,
    parallel: 2,
    threshold: 1,
  },
  raw: {},
}
const session = {
  ...{ id: 's', user: HOSTILE, connection: HOSTILE, verb: 'exec', status: 'open', port: true },
  ...{ start_date: '', end_date: '', event_size: 0, correlation_id: HOSTILE, review },
  state: { text: HOSTILE, since: '' },
  labels: { runbookFile: HOSTILE, runbookParameters: JSON.stringify({ [HOSTILE]: HOSTILE }) },
  metadata: { [HOSTILE]: HOSTILE },
  script: { data: `first ${HOSTILE}\n${'x\n'.repeat(100)}last line\n` },
} as unknown as RecordedSession
const statement = {
  ...{ connection: HOSTILE, query: HOSTILE, time: '', state: HOSTILE, duration_ms: 1 },
  ...{ rows: undefined, error: undefined, raw: {} },
} as never
const times = <Item>(item: Item): Item[] => Array<Item>(10_000).fill(item)

describe('what a gateway says, on a terminal', () => {
  it.each<[string, string]>([
    ['agents', itemTable(AGENT_COLUMNS, [agent], 80)],
    ['connections', itemTable(CONNECTION_COLUMNS, [{ ...connection, agent: HOSTILE }], 80)],
    ['a connection', connectionDetails(connection, new Map())],
    ['runbooks', itemTable(RUNBOOK_COLUMNS, [entry], 80)],
    ['a runbook', runbookDetails(entry)],
    ['reviews', itemTable(REVIEW_COLUMNS, [{ ...review, about: session }], 80)],
    ['a review', reviewDetails(review, session)],
    ['statements', statementsText({ statements: [statement], has_more: true, total: 2, raw: {} }, 80)],
    ['a decision', outcomeText(review)],
    ['reviews of a batch', itemTable(REVIEW_COLUMNS, [{ ...review, about: session, batch }], 80)],
    ['the review of a batch', reviewDetails({ ...review, batch }, session)],
  ])('is never obeyed: %s', (_, text) => {
    expect(text).toMatch(/a .*b/)
    expect(obeyed(text), text).toBe(false)
  })

  it('says of a wrong key that its caller only claims to be the agent', () => {
    const refused = { ...agent, last_words: '', refused_from: '192.0.2.7' }
    expect(itemTable(AGENT_COLUMNS, [refused], 400)).toMatch(
      /a caller from 192\.0\.2\.7 that claims to be this agent was refused: wrong key, 2026-01-31 /,
    )
    const plain = itemTable(AGENT_COLUMNS, [{ ...refused, refused_at: '', refused_from: '' }], 400)
    expect(plain).not.toContain('claims')
  })

  it('fits a terminal of 40 columns, and 10,000 of each are a table', () => {
    const tables = [
      itemTable(AGENT_COLUMNS, times(agent), 40),
      itemTable(CONNECTION_COLUMNS, times({ ...connection, agent: HOSTILE }), 40),
      itemTable(RUNBOOK_COLUMNS, times(entry), 40),
      itemTable(REVIEW_COLUMNS, times({ ...review, about: session }), 50),
    ]
    for (const table of tables) {
      const lines = table.trimEnd().split('\n')
      expect(lines).toHaveLength(10_001)
      for (const line of lines.slice(0, 3)) expect(line.length, line).toBeLessThanOrEqual(50)
    }
  })
})

describe('a runbook', () => {
  it('shows its parameters, brackets what may be left out, and says how it is run', () => {
    const plain = { ...parameter, name: 'name', description: 'who' }
    const optional = { ...parameter, name: 'state', description: '', default: 'on', options: ['on', 'off'] }
    const runbook = {
      ...entry,
      runbook: {
        ...{ name: 'ops/x.runbook.sh', repository: 'r', parameters: [plain, optional], error: undefined },
        ...{ title: 'Switch', description: 'One by one.\n\n  - twice' },
      },
      ...{ connections: ['pg', 'bash'], commit: 'c0ffee' },
    }
    expect(itemTable(RUNBOOK_COLUMNS, [runbook], 80).split('\n')[1]).toMatch(
      /^ops\/x\.runbook\.sh +Switch +name \[state\] +pg, bash +r$/,
    )
    expect(runbookDetails(runbook)).toMatch(
      /title +Switch\n[^]*\n\n {2}One by one\.\n\n {4}- twice\n\nparameters\n {2}name +who \(may be empty\)\n {2}state +\(one of on, off, default on\)\n\nrun it with\n {2}runbook-agent run pg ops\/x\.runbook\.sh -p name=\.\.\.\n$/,
    )
    const broken = { ...entry, runbook: { ...entry.runbook, error: 'template parse error' } }
    expect(runbookDetails(broken)).toMatch(/cannot be run +template parse error\n$/)
    expect(itemTable(RUNBOOK_COLUMNS, [broken], 80)).toContain('cannot be run')
  })
})

describe('a review', () => {
  it('shows the whole script to whoever approves it, and says when it is not for him', () => {
    const text = reviewDetails(review, session)
    expect(text).toMatch(/\n {2}first a/)
    expect(text.endsWith('  last line\n')).toBe(true)
    expect(text.split('\n').filter((line) => line === '  x')).toHaveLength(100)
    expect(reviewDetails(review, undefined)).toContain('does not show you this session')
  })

  it('shows arguments, names of variables and long values whole, because approvers have to see all of them', () => {
    const long = `${'a'.repeat(400)} end`
    const waves = [Array.from({ length: 100 }, (_, at) => `web-${at}`)]
    const asked = {
      ...review,
      ...{ client_args: ['-u', `one\ntwo ${long}`], env_vars: ['envvar:PGUSER', 'filesystem:CA'] },
      batch: { ...batch, waves },
    }
    const labels = { runbookParameters: JSON.stringify({ text: `first\n${long}`, short: 'x' }) }
    const text = reviewDetails(asked, { ...session, labels })
    expect(text).toMatch(/\nargument 1 +-u\n/)
    expect(text).toContain(`\nargument 2\n  one\n  two ${long}\n`)
    expect(text).toMatch(/\nvariables +PGUSER\nfiles +CA\n/)
    expect(text).toMatch(/\n-p short +x\n/)
    expect(text).toContain(`\n-p text\n  first\n  ${long}\n`)
    expect(text).toContain('web-99\n')
  })

  it('that was withdrawn says so, and by whom, not that it was rejected', () => {
    const reason = 'session killed by the user'
    const gone = { ...review, status: 'REJECTED', rejection_reason: reason, withdrawn_by: 'ann' }
    const text = reviewDetails(gone, session)
    expect(text).toMatch(/\nstatus +withdrawn, approved by 0[^]*\nwithdrawn by +ann\n/)
    expect(text).not.toContain(reason)
    const table = itemTable(REVIEW_COLUMNS, [{ ...gone, about: session }], 160)
    expect(table).toContain('withdrawn')
    expect(table).not.toContain('rejected')
  })

  it('of a batch says first on how many connections it runs, and on which', () => {
    const one = { ...review, batch, status: 'APPROVED' }
    expect(itemTable(REVIEW_COLUMNS, [{ ...one, about: session }], 160)).toContain(
      '3 connections: web-01, web-02, ',
    )
    expect(reviewDetails(one, session)).toMatch(
      /\non +3 connections, once on each\nwave 1 +web-01\n[^]*\nwave 2\n {2}web-02, /,
    )
    expect(outcomeText(one)).toMatch(/^approved: batch .* may run on 3 connections, once on each$/)
  })

  it('says who has decided, and what is still missing', () => {
    const dba = {
      ...{ ...decision, group: 'dba', status: 'APPROVED', reviewed_by: person('bob') },
      ...{ review_date: '2026-01-31T14:40:00Z', forced_review: true, comment: '' },
    }
    const sre = { ...decision, group: 'sre', status: 'PENDING' }
    const configuration = { start_time: '01:00', end_time: '05:00', raw: {} }
    const half = {
      ...{ ...review, min_approvals: 2, review_groups_data: [dba, sre] },
      time_window: { type: 'time_range', configuration, raw: {} },
    }
    const text = reviewDetails(half, session)
    expect(text).toMatch(/status +pending, approved by 1 of 2\n/)
    expect(text).toMatch(/group dba +approved by bob at 2026-01-31 \d\d:40:00, forced\n/)
    expect(text).toMatch(/group sre +pending\n/)
    expect(text).toMatch(/only +from 01:00 to 05:00 UTC\n/)
    expect(outcomeText(half)).toBe('approved by 1 of 2: session s waits for sre')
    expect(outcomeText({ ...half, status: 'APPROVED' })).toBe(
      'approved: session s may run, from 01:00 to 05:00 UTC only',
    )
    expect(outcomeText({ ...half, status: 'REJECTED' })).toBe('rejected: session s will not run')
  })
})
