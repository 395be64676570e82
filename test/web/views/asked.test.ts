import { expect, it } from 'vitest'
import { person, signedOut } from '../../../web/src/api/person.ts'
import { isAskedNoMore, runsWhenApproved, runWhenApproved } from '../../../web/src/views/sessions/asked.ts'

type Person = NonNullable<typeof person.value>

// All that is looked at.
const named = (name: string) => ({ name }) as Person

it('the page runs what was approved for whoever has asked, and for nobody who signs in after them', () => {
  person.value = named('one')
  runWhenApproved('session')
  expect(runsWhenApproved('session')).toBe(true)
  expect(runsWhenApproved('another')).toBe(false)
  signedOut()
  expect(runsWhenApproved('session')).toBe(false)
  person.value = named('two')
  expect(runsWhenApproved('session')).toBe(false)
  person.value = named('one')
  expect(runsWhenApproved('session')).toBe(true)
  isAskedNoMore('session')
  expect(runsWhenApproved('session')).toBe(false)
})
