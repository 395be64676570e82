import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { LastUses } from '../../../../src/gateway/people/identities/token-uses.ts'
import { SignInAttempts } from '../../../../src/gateway/people/identities/sign-in-attempts.ts'
import { Tokens } from '../../../../src/gateway/people/identities/tokens.ts'
import { Users } from '../../../../src/gateway/people/identities/users.ts'
import { Accounts } from '../../../../src/gateway/people/sign-in/accounts.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const ADA = { issuer: 'https://accounts.test', subject: 'ada-1', name: 'ada@example.test', groups: ['dba'] }
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

it('who was deactivated, or is in the way of a user that somebody has made, does not sign in', () => {
  using site = new Site()
  const { text } = site.accounts.signIn(ADA, 'browser', DAY_MS)
  expect(site.users.withToken(text, '127.0.0.1')?.user).toMatchObject({
    kind: 'person',
    groups: ['dba'],
    isActive: true,
  })
  const user = site.users.stored.users.get(ADA.name)
  if (user === undefined) throw new Error('no user was made')
  site.users.stored.apply({ users: [{ ...user, isActive: false, deactivatedAt: 1 }] })
  expect(() => site.accounts.signIn(ADA, 'browser', DAY_MS)).toThrow(/was deactivated/)
  expect(site.users.withToken(text, '127.0.0.1')).toBeUndefined()
  site.users.stored.apply({ users: [{ ...user, name: 'bob@example.test', createdBy: 'admin' }] })
  const bob = { ...ADA, subject: 'bob-1', name: 'bob@example.test' }
  expect(() => site.accounts.signIn(bob, 'browser', DAY_MS)).toThrow(/user bob@example.test exists already/)
})

it('the same subject at another provider is somebody else', () => {
  using site = new Site()
  site.accounts.signIn(ADA, 'browser', DAY_MS)
  const other = { ...ADA, issuer: 'https://other.test' }
  expect(() => site.accounts.signIn(other, 'browser', DAY_MS)).toThrow(
    /exists already and belongs to another account/,
  )
})

it('sign-ins that ended a week ago are forgotten at the next one', () => {
  using site = new Site()
  const old = site.accounts.signIn(ADA, 'browser', -8 * DAY_MS).token
  const recent = site.accounts.signIn(ADA, 'browser', -1 * DAY_MS).token
  const now = site.accounts.signIn(ADA, 'browser', DAY_MS).token
  const kept = site.users.stored.tokensOf(ADA.name).map(({ id }) => id)
  expect(kept).toEqual([recent.id, now.id])
  expect(kept).not.toContain(old.id)
})

/** Users and tokens in a state of their own. */
class Site implements Disposable {
  readonly users: Users
  readonly accounts: Accounts
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'accounts-'))
  readonly #history: History
  readonly #uses: LastUses

  constructor() {
    this.#history = openHistory(path.join(this.#folder, 'history.sqlite'))
    this.#uses = new LastUses(this.#history, log)
    const settings = { value: { users: [], connections: [] } }
    const attempts = new SignInAttempts({ most: () => 20, told: () => undefined })
    this.users = new Users(settings, this.#history, this.#uses, attempts)
    const tokens = new Tokens(this.users, this.#uses, log)
    this.accounts = new Accounts({ users: this.users, tokens, settings, log })
  }

  [Symbol.dispose](): void {
    this.#uses.close()
    this.#history.close()
    rmSync(this.#folder, { recursive: true })
  }
}
