import { expect, it } from 'vitest'
import { hasCredentials, withoutCredentials } from '../../../src/basics/net/url-credentials.ts'

it.each([
  ['https://host/path', 'https://host/path'],
  ['https://me@host/path', 'https://***@host/path'],
  ['https://me:one@two/three@host/path', 'https://***@host/path'],
  ['SSH+git://me:one@host', 'SSH+git://***@host'],
  ['me:one@host', '***@host'],
  ['https://me:one\ntwo@host', 'https://***@host'],
])('the address %j is shown as %j, also where it is no URL', (url, shown) => {
  expect(withoutCredentials(url)).toBe(shown)
})

it('a user alone and a password alone are credentials', () => {
  const found = ['http://me@host', 'http://:one@host', 'http://host/@'].map((url) =>
    hasCredentials(new URL(url)),
  )
  expect(found).toEqual([true, true, false])
})
