import type { Path, Problems } from '../../basics/settings/problems.ts'
import type { Budget } from '../identity.ts'
import type { SettingsShape } from './schema.ts'
import type { TokenSettings, UserSettings } from './settings.ts'

type UserShape = SettingsShape['users'][number]

/** What `users[].token` is called. */
const FIRST_TOKEN = 'token'
const HOUR_MS = 60 * 60 * 1000

export function buildUser(shape: UserShape, problems: Problems, path: Path): UserSettings {
  const { name, kind, groups, oidc, budget } = shape
  if (budget && kind !== 'machine')
    problems.add([...path, 'budget'], 'only a machine has a budget: kind: machine')
  if (oidc && kind === 'machine')
    problems.add([...path, 'oidc'], 'a machine does not sign in with an account: kind: person')
  return {
    ...{ name, kind, groups, oidc, tokens: buildTokens(shape, problems, path) },
    ...(budget && { budget: buildBudget(budget) }),
  }
}

function buildTokens({ token, tokens }: UserShape, problems: Problems, path: Path): TokenSettings[] {
  const named = new Set(token ? [FIRST_TOKEN] : [])
  tokens.forEach(({ name }, i) => {
    if (named.has(name))
      problems.add([...path, 'tokens', i, 'name'], 'this user has a token of this name already')
    named.add(name)
  })
  const more = tokens.map(({ name, token: sha256, expires }) => ({
    ...{ name, sha256 },
    ...(typeof expires === 'number' && { expiresAt: expires }),
  }))
  return token ? [{ name: FIRST_TOKEN, sha256: token }, ...more] : more
}

function buildBudget({ runs, bytes, hours, per }: NonNullable<UserShape['budget']>): Budget {
  return {
    ...{ runs, perMs: per },
    ...(typeof bytes === 'number' && { bytes }),
    ...(typeof hours === 'number' && { runningMs: hours * HOUR_MS }),
  }
}

/** A token has one user. */
export function checkTokens(users: readonly UserShape[], problems: Problems): void {
  const first = new Map<string, { readonly user: number; readonly place: string }>()
  const check = (hash: Buffer, user: number, setting: Path): void => {
    const path = ['users', user, ...setting]
    const other = first.get(hash.toString('hex'))
    if (other === undefined) first.set(hash.toString('hex'), { user, place: problems.lineOf(path) })
    else problems.add(path, `this token is that of users[${other.user}] already (${other.place})`)
  }
  users.forEach(({ token, tokens }, i) => {
    if (token) check(token, i, ['token'])
    tokens.forEach((one, at) => check(one.token, i, ['tokens', at, 'token']))
  })
}
