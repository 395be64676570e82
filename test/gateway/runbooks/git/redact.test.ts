import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redact } from '../../../../src/gateway/runbooks/git/fetch.ts'
import { parseRemote } from '../../../../src/gateway/settings/repositories.ts'

test('a password is masked in each spelling git or a server may use', () => {
  const remote = parseRemote('https://oauth2:p%40ss%20w@host/a')
  const text = 'p@ss w, p%40ss%20w, p@ss%20w at https://oauth2:p%40ss%20w@host/a for oauth2'
  expect(redact(remote, text)).toBe('***, ***, *** at https://***@host/a for oauth2')
})

test('the user is the secret where there is no password', () => {
  expect(redact(parseRemote('https://ghp_x@host/a'), 'bad token ghp_x')).toBe('bad token ***')
})

test('a user in any URL is masked, and text without one stays as it is', () => {
  expect(redact(parseRemote('/srv/a'), 'see https://a:b@c/d and /srv/a@b')).toBe(
    'see https://***@c/d and /srv/a@b',
  )
})

test('no password gets through, whatever it is', () => {
  const password = fc.string({ minLength: 1 }).filter((text) => !/\p{Cc}|\*/u.test(text))
  const checked = fc.property(password, fc.string(), (secret, around) => {
    const remote = parseRemote(`https://me:${encodeURIComponent(secret)}@host/a`)
    expect(redact(remote, `${around}${secret}${around}`)).not.toContain(secret)
  })
  fc.assert(checked)
})
