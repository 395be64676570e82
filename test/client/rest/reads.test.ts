import { describe, expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import {
  deciderOf,
  fetchReview,
  groupNames,
  neededApprovals,
  windowOf,
  type Review,
} from '../../../src/client/rest/reviews.ts'
import { fetchCatalog, fetchRunbooks } from '../../../src/client/rest/runbooks.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'

const accountOf = ({ url }: ScriptedRest) =>
  findAccount({
    ...{ env: { HOOP_APIURL: url, HOOP_TOKEN: 'the-token-of-a-test' }, stored: undefined, file: '' },
  })
const FIRST_FORM = 'GET /api/plugins/runbooks/connections/pg/templates'

async function read(sent: object): Promise<Review> {
  await using rest = await ScriptedRest.start()
  rest.on('GET /api/reviews/r', json(200, { id: 'r', status: 'PENDING', ...sent }))
  const env = { HOOP_APIURL: rest.url, HOOP_TOKEN: 'the-token-of-a-test' }
  return await fetchReview(findAccount({ env, stored: undefined, file: '' }), 'r')
}

const group = (fields: object) => ({ group: 'dba', status: 'APPROVED', ...fields })

describe('the REST client', () => {
  it('reads the lists of hoop: null for none, a count as a text, and words of which nobody knows', async () => {
    await using rest = await ScriptedRest.start()
    const metadata = {
      last: 7,
      second: { type: 'later', minlength: '3', maxlength: 'x', order: 2, options: null, default: '' },
      first: { order: '1', required: 'yes', description: null, options: ['a'], maxlength: 5 },
    }
    const items = [
      { name: 'a', metadata },
      { name: 'b', metadata: null, error: 'broken', connections: null },
    ]
    const repositories = [
      { repository: 'r', items },
      { repository: 's', items: null, commit: null },
    ]
    rest.on('GET /api/runbooks', json(200, { errors: null, repositories }))
    const blank = { type: 'text', required: false, description: '', placeholder: '', options: [] }
    const { runbooks, ...others } = await fetchRunbooks(accountOf(rest), 'pg')
    expect(others).toEqual({ repositories: ['r', 's'], errors: [] })
    expect(runbooks).toEqual([
      {
        ...{ name: 'a', error: undefined, repository: 'r' },
        parameters: [
          { ...blank, name: 'first', options: ['a'], maxLength: 5 },
          { ...blank, name: 'second', type: 'later', minLength: 3 },
          { ...blank, name: 'last' },
        ],
      },
      { name: 'b', error: 'broken', repository: 'r', parameters: [] },
    ])
    const catalog = await fetchCatalog(accountOf(rest), 'pg')
    expect(catalog?.entries.map(({ connections, commit, raw }) => ({ connections, commit, raw }))).toEqual(
      items.map((item) => ({
        ...{ connections: ['pg'], commit: '', raw: { ...item, repository: 'r', commit: '' } },
      })),
    )
  })

  it.each([
    ['has no such list', json(404, { message: 'not found' })],
    ['answers something else there', json(200, { items: [] })],
  ])('takes the first form of the list from an older gateway, which %s', async (_, answer) => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/runbooks', answer)
    rest.on(FIRST_FORM, json(200, { items: [{ name: 'a' }], commit: 'c' }))
    expect(await fetchRunbooks(accountOf(rest), 'pg')).toMatchObject({
      ...{ repositories: undefined, runbooks: [{ name: 'a', repository: undefined }] },
    })
  })

  it.each([
    {},
    { min_approvals: null, time_window: null, review_groups_data: null, batch: null, session: null },
    {
      min_approvals: '2',
      time_window: { type: 'time_range', configuration: {} },
      review_groups_data: ['dba'],
    },
    { time_window: { configuration: { start_time: '01:00' } }, access_duration: null, batch: 'b' },
    { time_window: 'always', rejection_reason: null, access_request_rule_name: 7 },
  ])('reads a review of hoop that says only %j', async (sent) => {
    const review = await read(sent)
    expect([neededApprovals(review), windowOf(review), review.batch]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([groupNames(review), review.access_duration, review.rejection_reason]).toEqual([[], 0, ''])
    expect(review.access_request_rule_name).toBe('')
    expect(review.raw).toEqual({ id: 'r', status: 'PENDING', ...sent })
  })

  it('asks for no more approvals than there are groups, and names whoever has decided as well as the gateway does', async () => {
    const people = [
      { id: 'i', name: 'n', email: 'e' },
      { id: 'i', name: 'n', email: null },
      { id: 'i' },
      null,
      7,
    ]
    const review = await read({
      min_approvals: 9,
      review_groups_data: people.map((person) => group({ reviewed_by: person })),
      time_window: { configuration: { start_time: '01:00', end_time: '05:00' } },
    })
    expect(neededApprovals(review)).toBe(5)
    expect(review.review_groups_data.map(deciderOf)).toEqual(['e', 'n', 'i', '', ''])
    expect(windowOf(review)).toEqual({ start: '01:00', end: '05:00' })
  })
})
