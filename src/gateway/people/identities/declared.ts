import type { GatewaySettings, UserSettings } from '../../settings/settings.ts'
import type { SignedIn, AccessToken, GatewayUser } from '../../identity.ts'

interface Declared {
  readonly users: ReadonlyMap<string, GatewayUser>
  readonly tokens: ReadonlyMap<string, AccessToken>
  /** By the hash of the token, in hexadecimal. */
  readonly byHash: ReadonlyMap<string, SignedIn>
}

/** Users and tokens of gateway.yaml, found by name and hash. Follows the settings when they are replaced. */
export class DeclaredIdentities {
  readonly #current: { readonly value: Pick<GatewaySettings, 'users'> }
  #indexed: readonly UserSettings[] | undefined
  #index: Declared = { users: new Map(), tokens: new Map(), byHash: new Map() }

  constructor(current: { readonly value: Pick<GatewaySettings, 'users'> }) {
    this.#current = current
  }

  get users(): ReadonlyMap<string, GatewayUser> {
    return this.#declared.users
  }

  /** By their ids. */
  get tokens(): ReadonlyMap<string, AccessToken> {
    return this.#declared.tokens
  }

  withHash(hash: Buffer): SignedIn | undefined {
    return this.#declared.byHash.get(hash.toString('hex'))
  }

  get #declared(): Declared {
    const { users } = this.#current.value
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
  const signedIn = tokens.flatMap(({ sha256, token }) => {
    const user = named.get(token.user)
    return user === undefined ? [] : [[sha256.toString('hex'), { user, token }] as const]
  })
  return {
    users: named,
    tokens: new Map(tokens.map(({ token }) => [token.id, token])),
    byHash: new Map(signedIn),
  }
}

function toUser({ name, kind, groups, budget }: UserSettings): GatewayUser {
  return {
    ...{ name, kind, groups, isActive: true, isDeclared: true },
    ...(budget !== undefined && { budget }),
  }
}

/** Their ids stay the same as long as the file calls them the same. */
function tokensOf({ name: user, tokens }: UserSettings): { sha256: Buffer; token: AccessToken }[] {
  return tokens.map(({ name, sha256, expiresAt }) => ({
    sha256,
    token: {
      ...{ id: `gateway.yaml:${user}:${name}`, name, user, kind: 'personal', isDeclared: true },
      ...(expiresAt !== undefined && { expiresAt }),
    },
  }))
}
