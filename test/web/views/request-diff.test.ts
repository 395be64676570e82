import { expect, it } from 'vitest'
import type { Review, Session } from '../../../web/src/api/types.ts'
import { hiddenText, requestDiff } from '../../../web/src/views/approvals/request-diff.ts'

interface Parts {
  readonly script?: string
  readonly parameters?: object
  readonly review?: Partial<Review>
}

const REVIEW = { connection: 'books', client_args: [], env_vars: [], script_hmac_sha256: 'a1' }

/** The fields that a comparison reads. */
function asked({ script = 'true', parameters = {}, review = {} }: Parts): [Session, Review] {
  const whole = { ...REVIEW, ...review } as unknown as Review
  const labels = { runbookParameters: JSON.stringify(parameters) }
  const session = { connection: whole.connection, script: { data: script }, labels, review: whole }
  return [session as unknown as Session, whole]
}

function differences(before: Parts, now: Parts) {
  const { values, lines, ...facts } = requestDiff(asked(before)[0], ...asked(now))
  return {
    values: values.map((value) => [value.name, value.before, value.now]),
    lines: lines.map(({ name, diff }) => [name, diff.added, diff.removed]),
    secrets: facts.differsInSecrets,
  }
}

const NOTHING = { values: [], lines: [], secrets: false }

it('a difference of requests has script, parameters, connections, arguments and variables', () => {
  expect(differences({}, {})).toEqual(NOTHING)
  expect(differences({ script: 'a\nb' }, { script: 'a\nc\nd' }).lines).toEqual([['Script', 2, 1]])
  expect(differences({ parameters: { a: '1', b: '2' } }, { parameters: { b: '3', c: '4' } }).values).toEqual([
    ['a', '1', undefined],
    ['b', '2', '3'],
    ['c', undefined, '4'],
  ])
  expect(differences({ parameters: { a: 'x\ny' } }, { parameters: { a: 'x\nz' } })).toEqual({
    ...NOTHING,
    lines: [['Parameter a', 1, 1]],
  })
  expect(differences({}, { review: { connection: 'orders' } }).values).toEqual([
    ['connection', 'books', 'orders'],
  ])
  const withArgs = (...list: string[]): Parts => ({ review: { client_args: list } })
  expect(differences(withArgs('-u', '-e'), withArgs('-u')).lines).toEqual([['Arguments', 0, 1]])
  const variables = { review: { env_vars: ['envvar:PGUSER', 'envvar:PGHOST', 'filesystem:KEY'] } }
  expect(differences({}, variables).values).toEqual([
    ['Variables', undefined, 'PGHOST, PGUSER'],
    ['Files', undefined, 'KEY'],
  ])
  const turned = { review: { env_vars: variables.review.env_vars.toReversed() } }
  expect(differences(variables, turned)).toEqual(NOTHING)
  const doubted = (review: Partial<Review>) =>
    requestDiff(asked({})[0], ...asked({ review: { ...variables.review, ...review } })).hasVariables
  expect([doubted({}), doubted({ brings_input: true }), doubted({ brings_input: false })]).toEqual([
    ...[true, true, false],
  ])
})

it('a difference of batches has their connections, and how they run', () => {
  const batch = {
    id: 'b',
    waves: [['web-01'], ['web-02', 'web-03']],
    connections: 3,
    parallel: 2,
    threshold: 1,
  }
  const more = { ...batch, waves: [['web-01'], ['web-02', 'prod']], threshold: 9 }
  expect(differences({ review: { batch } }, { review: { batch: more } }).values).toEqual([
    ['connections', 'web-01; then web-02, web-03', 'web-01; then web-02, prod'],
    ['stops after failures', '1', '9'],
  ])
})

it('a difference of requests tells scripts that differ in secrets alone, which are not shown', () => {
  expect(differences({}, { review: { script_hmac_sha256: 'b2' } })).toEqual({ ...NOTHING, secrets: true })
  expect(differences({}, { script: 'false', review: { script_hmac_sha256: 'b2' } }).secrets).toBe(false)
})

it('the text about hidden values says whose the variables are, only as far as that is known', () => {
  const whose = (parts: Partial<Review>) => hiddenText({ ...asked({ review: parts })[1], owner: 'sue' })
  const runbook = { file: 'ops/x.sh' }
  expect(whose({})).toContain('sue sends them')
  expect(whose({ runbook, brings_input: true })).toContain('sue has added at least one')
  expect(whose({ runbook, brings_input: true, client_args: ['-x'] })).toContain('may have added')
})
