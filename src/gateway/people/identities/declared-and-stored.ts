import type { History } from '../../history/history.ts'
import type { AccessToken, GatewayUser, SignedIn, StoredToken, StoredUser } from '../../identity.ts'
import type { Current, UserSettings } from '../../settings/settings.ts'
import { HistoryError } from '../../store/errors.ts'
import type { LastUses } from './token-uses.ts'

/** Changes that are made together or not at all. */
interface IdentityChange {
  readonly users?: readonly StoredUser[]
  readonly removedUsers?: readonly string[]
  readonly tokens?: readonly StoredToken[]
  readonly removedTokens?: readonly string[]
  readonly removedGroups?: readonly string[]
}

/**
 * The users and tokens of the state. All of them are in memory, so a sign-in reads no disk. Changes are
 * written to the disk before memory changes.
 */
export class StoredIdentities {
  readonly #history: History
  readonly #uses: Pick<LastUses, 'forget'>
  readonly #users = new Map<string, StoredUser>()
  readonly #tokens = new Map<string, StoredToken>()
  readonly #byHash = new Map<string, StoredToken>()
  #isLoaded = false

  constructor(history: History, uses: Pick<LastUses, 'forget'>) {
    this.#history = history
    this.#uses = uses
    this.#load()
  }

  get users(): ReadonlyMap<string, StoredUser> {
    this.#load()
    return this.#users
  }

  get tokens(): ReadonlyMap<string, StoredToken> {
    this.#load()
    return this.#tokens
  }

  withHash(hash: Buffer): StoredToken | undefined {
    this.#load()
    return this.#byHash.get(hash.toString('hex'))
  }

  tokensOf(user: string): StoredToken[] {
    return [...this.tokens.values()].filter((token) => token.user === user)
  }

  /** Tells whether sessions or reviews are recorded under this name. @throws HistoryError */
  isInHistory(name: string): boolean {
    return this.#history.read(({ users }) => users.isInHistory(name))
  }

  /** The external account that had this name before its user was removed. @throws HistoryError */
  formerAccount(name: string): string | undefined {
    return this.#history.read(({ users }) => users.formerAccount(name))
  }

  /** Makes a change and syncs it. @throws HistoryError. After an error, nothing has changed. */
  apply(change: IdentityChange): void {
    this.#history.write(({ users, tokens }) => {
      for (const name of change.removedUsers ?? []) users.remove(name)
      for (const user of change.users ?? []) users.put(user)
      for (const id of change.removedTokens ?? []) tokens.remove(id)
      for (const token of change.tokens ?? []) tokens.put(token)
      for (const name of change.removedGroups ?? []) users.removeGroup(name)
    })
    this.keep(change)
  }

  /**
   * Makes a change only in memory. A revocation calls this before `apply`, because a revoked token must not
   * stay valid if the disk fails.
   */
  keep({ users = [], removedUsers = [], tokens = [], removedTokens = [] }: IdentityChange): void {
    for (const name of removedUsers) this.#users.delete(name)
    for (const user of users) this.#users.set(user.name, user)
    for (const id of removedTokens) this.#forget(id)
    for (const token of tokens) this.#remember(token)
  }

  #remember(token: StoredToken): void {
    this.#tokens.set(token.id, token)
    this.#byHash.set(token.sha256.toString('hex'), token)
  }

  #forget(id: string): void {
    const token = this.#tokens.get(id)
    this.#tokens.delete(id)
    this.#uses.forget(id)
    if (token !== undefined) this.#byHash.delete(token.sha256.toString('hex'))
  }

  /**
   * Loads the users and tokens. If the disk fails, only users of gateway.yaml exist until a later call
   * succeeds.
   */
  #load(): void {
    if (this.#isLoaded) return
    try {
      const [users, tokens] = this.#history.read((tables) => [tables.users.all(), tables.tokens.all()])
      this.#isLoaded = true
      this.keep({ users, tokens })
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error
    }
  }
}

interface Declared {
  readonly users: ReadonlyMap<string, GatewayUser>
  readonly tokens: ReadonlyMap<string, AccessToken>
  /** The key is the token's hash, in hexadecimal. */
  readonly byHash: ReadonlyMap<string, SignedIn>
}

/** The users and tokens of gateway.yaml. They change when the settings are reloaded. */
export class DeclaredIdentities {
  readonly #settings: Current<'users'>
  #indexed: readonly UserSettings[] | undefined
  #index: Declared = { users: new Map(), tokens: new Map(), byHash: new Map() }

  constructor(settings: Current<'users'>) {
    this.#settings = settings
  }

  get users(): ReadonlyMap<string, GatewayUser> {
    return this.#declared.users
  }

  get tokens(): ReadonlyMap<string, AccessToken> {
    return this.#declared.tokens
  }

  withHash(hash: Buffer): SignedIn | undefined {
    return this.#declared.byHash.get(hash.toString('hex'))
  }

  get #declared(): Declared {
    const { users } = this.#settings.value
    if (this.#indexed !== users) {
      this.#index = indexOf(users)
      this.#indexed = users
    }
    return this.#index
  }
}

function indexOf(settings: readonly UserSettings[]): Declared {
  const users = settings.map(toUser)
  const tokens = settings.flatMap(tokensOf)
  const named = new Map(users.map((user) => [user.name, user]))
  const signedIn = tokens.flatMap((token) => {
    const user = named.get(token.user)
    return user === undefined ? [] : [[token.sha256.toString('hex'), { user, token }] as const]
  })
  return {
    users: named,
    tokens: new Map(tokens.map((token) => [token.id, token])),
    byHash: new Map(signedIn),
  }
}

function toUser({ name, kind, groups, budget }: UserSettings): GatewayUser {
  return {
    name,
    kind,
    groups,
    isActive: true,
    isDeclared: true,
    ...(budget !== undefined && { budget }),
  }
}

/** The id of a token is made from names, so it stays the same while the token's name stays in the file. */
function tokensOf({ name: user, tokens }: UserSettings): AccessToken[] {
  return tokens.map(({ name, sha256, expiresAt }) => ({
    id: `gateway.yaml:${user}:${name}`,
    name,
    user,
    kind: 'personal',
    isDeclared: true,
    sha256,
    ...(expiresAt !== undefined && { expiresAt }),
  }))
}
