import { expect, it } from 'vitest'
import { redacted } from '../../../../src/gateway/rest/audited-calls.ts'

it.each([undefined, null, 'text', 7, true])('a body that is %j is kept as nothing', (body) => {
  expect(redacted(body)).toBeNull()
})

it.each([
  ...['password', 'PassPhrase', 'db_passwd', 'secrets', 'token', 'credentials', 'Authorization', 'private'],
  ...['cookie', 'pw', 'hashed_pw', 'apikey', 'api_key', 'key', 'ssh_key', 'env', 'envs', 'env_vars'],
  ...['hosts_key', 'verifier', 'code', 'user_code'],
  ...['script', 'parameters', 'client_args', 'input', 'jira_fields'],
])('a value is left out by its name %s, wherever it is', (name) => {
  const body = { [name]: 'sesame', deep: [{ [name]: ['sesame'] }], name: 'kept' }
  expect(redacted(body)).toEqual({ [name]: '[REDACTED]', deep: [{ [name]: '[REDACTED]' }], name: 'kept' })
})

it.each(['keys', 'monkey', 'codes', 'environment', 'pwd', 'verifiers', 'scripts'])(
  'a name that only has one of them within it keeps its value: %s',
  (name) => {
    expect(redacted({ [name]: 'kept' })).toEqual({ [name]: 'kept' })
  },
)

it('a text is cut to 500 characters, and a list or an object to 50 entries', () => {
  const list = Array.from({ length: 51 }, (_, at) => at)
  const kept = redacted({ text: 'x'.repeat(501), list, ['n'.repeat(501)]: 1 })
  expect(kept).toEqual({ text: 'x'.repeat(500), list: list.slice(0, 50), ['n'.repeat(500)]: 1 })
  const fields = Object.fromEntries(list.map((at) => [`f${at}`, at]))
  expect(Object.keys(redacted(fields) ?? {})).toEqual(list.slice(0, 50).map((at) => `f${at}`))
})

it('what the database cannot keep is replaced', () => {
  expect(redacted({ 'a\0': 'b\0', half: '\ud800' })).toEqual({ 'a\ufffd': 'b\ufffd', half: '\ufffd' })
})

it('what is nested four deep is left out', () => {
  expect(redacted({ a: { b: [{ c: { d: 1 }, e: null, f: 'kept' }] } })).toEqual({
    a: { b: [{ c: '[LEFT OUT]', e: null, f: 'kept' }] },
  })
})

it('an audited body above 8 KiB is reduced to its field names', () => {
  const bytes = (count: number) => ({ list: Array.from({ length: 20 }, () => 'x'.repeat(count)) })
  const most = { ...bytes(400), rest: 'x'.repeat(112) }
  expect(Buffer.byteLength(JSON.stringify(most))).toBe(8192)
  expect(redacted(most)).toEqual(most)
  expect(redacted({ ...most, rest: `${most.rest}x` })).toEqual({
    left_out: 'too long',
    fields: ['list', 'rest'],
  })
})
