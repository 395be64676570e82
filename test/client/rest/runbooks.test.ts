import { expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { fetchCatalog } from '../../../src/client/rest/runbook-catalog.ts'
import { fetchRunbooks } from '../../../src/client/rest/runbooks.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'

const accountOf = ({ url }: ScriptedRest) =>
  findAccount({
    ...{ env: { HOOP_APIURL: url, HOOP_TOKEN: 'the-token-of-a-test' }, stored: undefined, file: '' },
  })
const FIRST_FORM = 'GET /api/plugins/runbooks/connections/pg/templates'

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
