import { expect, it } from 'vitest'
import { webhookBody, type MessageForm } from '../../../src/gateway/webhooks/templates.ts'

const FACTS = {
  ...{ id: 's1', user_id: 'ann', user_email: 'ann', connection: 'pg', verb: 'exec', runbook: 'ops/a.sh' },
  ...{ started_at: 1_780_000_000_000, ended_at: 1_780_000_001_000, exit_code: null, review: null },
}
const HOSTILE =
  '<!channel> @here <https://evil.example|x> [x](https://evil.example) **b** {{DATE(1)}} ${x} &\u202e\n# x'
const body = (template: MessageForm, facts: object = FACTS) =>
  webhookBody(template, {
    event: 'session.failed',
    at: 1_780_000_001_000,
    facts: { ...facts },
    link: 'https://gw/sessions/s1',
  })

it('standard has the type, the time, and the facts under the names of hoop', () => {
  expect(JSON.parse(body('standard'))).toEqual({
    type: 'session.failed',
    timestamp: '2026-05-28T20:26:41.000Z',
    data: {
      ...{ id: 's1', user_id: 'ann', user_email: 'ann', connection: 'pg', verb: 'exec', runbook: 'ops/a.sh' },
      ...{ start_date: '2026-05-28T20:26:40.000Z', end_date: '2026-05-28T20:26:41.000Z', exit_code: -100 },
      ...{ review: null, url: 'https://gw/sessions/s1' },
    },
  })
})

it.each(['standard', 'slack', 'teams'] as const)(
  '%s tells all moments of a session that waited',
  (template) => {
    const [approved, began] = [1_780_000_000_400, 1_780_000_000_800]
    const text = body(template, { ...FACTS, approved_at: approved, began_at: began })
    for (const at of [FACTS.started_at, approved, began, FACTS.ended_at])
      expect(text).toContain(new Date(at).toISOString())
    expect(body(template, { ...FACTS, approved_at: null, began_at: null })).not.toMatch(
      /1970|approved|began/i,
    )
  },
)

it.each(['slack', 'teams'] as const)('%s says what has failed and links the session alone', (template) => {
  const text = body(template)
  expect(text).toContain('Failed: ops/a.sh on pg')
  expect(text.match(/https:\/\/gw[^"]*/g)).toEqual(['https://gw/sessions/s1'])
})

it.each(['slack', 'teams'] as const)('%s says the reason, or in a request that there is none', (template) => {
  const waiting = (reason: string | null) => {
    const message = {
      event: 'review.waiting',
      at: 1,
      facts: { ...FACTS, exit_code: undefined, reason },
      link: '',
    }
    return webhookBody(template, message)
  }
  expect(waiting('ticket 7 @here')).toMatch(/Reason: .*ticket 7 @\u200bhere/)
  expect(waiting(null)).toMatch(/Reason: .*no reason/)
  expect(body(template, { ...FACTS, reason: null })).not.toContain('Reason')
})

it('a hostile name mentions nobody and links nothing in Slack', () => {
  const { text, blocks } = JSON.parse(body('slack', { ...FACTS, runbook: HOSTILE, user_id: HOSTILE })) as {
    text: string
    blocks: readonly { text?: { type: string }; fields?: readonly { type: string }[] }[]
  }
  expect(text).toContain('&lt;!channel&gt; @\u200bhere &lt;https:\u200b//evil')
  const texts = blocks.flatMap(({ text: one, fields = [] }) => [...(one ? [one] : []), ...fields])
  expect(new Set(texts.map(({ type }) => type))).toEqual(new Set(['plain_text']))
})

it('a hostile name does neither in Teams, where no text is Markdown or a function', () => {
  const text = body('teams', { ...FACTS, runbook: HOSTILE, user_id: HOSTILE })
  expect(text).not.toMatch(/@here|https:\/\/evil|\{\{|\$\{|\u202e|\\n/)
  expect(text).not.toMatch(/"type":"(TextBlock|FactSet)"/)
})

it.each(['slack', 'teams'] as const)('%s says first on how many connections a batch runs', (template) => {
  const connections = Array.from({ length: 12 }, (_, at) => `web-${at + 1}`)
  const facts = { ...FACTS, connection: 'web-1', review: { batch: { id: 'b', connections } } }
  const text = webhookBody(template, {
    event: 'review.waiting',
    at: 0,
    facts,
    link: 'https://gw/sessions/s1',
  })
  expect(text).toContain('Waits for approval: ops/a.sh on 12 connections')
  expect(text).toMatch(/Runs on: .*12 connections, once on each: web-1, web-2, .*web-10, and 2 more/)
})

it('a message names in its title who has stopped a session', () => {
  const facts = { ...FACTS, state: { name: 'stopped', text: 'stopped by bea' } }
  expect(body('slack', facts)).toContain('Stopped by bea: ops/a.sh on pg')
})
