import * as v from 'valibot'
import type { Path, Problems } from '../../basics/settings/problems.ts'
import {
  about,
  choice,
  duration,
  list,
  map,
  matching,
  parsed,
  size,
  truth,
} from '../../basics/settings/shapes.ts'
import type { BudgetAsked } from '../../contract/users.ts'
import { USER_NAME, USER_NAME_FORM } from '../../contract/words.ts'
import type { Budget } from '../identity.ts'
import type { TokenSettings, UserSettings } from './settings.ts'
import { Name, SecretHash } from './words.ts'

const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/
/** A date is the beginning of that day in UTC. */
const Moment = parsed(
  (written) => {
    const time = MOMENT.test(written) ? Date.parse(written) : NaN
    return Number.isNaN(time) ? undefined : time
  },
  'a day (2027-01-31) or a time with its zone (2027-01-31T12:00:00Z)',
  { type: ['string'], pattern: MOMENT.source },
)

const TokenShape = map({
  name: about('name of the token', Name),
  token: about(
    'bearer token, or the hash of the token; a reference such as file://admin.token is safer than the token itself',
    SecretHash,
  ),
  expires: about('time at which the token expires (default: never)', v.nullish(Moment)),
})

/** Maximum of a budget. Each new run reads the rows of all earlier runs in the period. */
const MAX_RUNS = 10_000
const Runs = parsed(
  (written) => {
    const runs = /^[1-9]\d{0,4}$/.test(written) ? Number(written) : NaN
    return runs <= MAX_RUNS ? runs : undefined
  },
  `a number from 1 to ${MAX_RUNS}`,
  { type: ['integer', 'string'], pattern: '^[1-9]\\d{0,4}$', minimum: 1, maximum: MAX_RUNS },
)
const Hours = parsed(
  (written) => (/^(?!0+(?:\.0+)?$)\d{1,5}(?:\.\d{1,3})?$/.test(written) ? Number(written) : undefined),
  'a number of hours above 0, like 5 or 0.5,',
  { type: ['number', 'string'], pattern: '^\\d{1,5}(?:\\.\\d{1,3})?$', minimum: 0 },
)

const BudgetShape = map({
  runs: about('maximum number of sessions in a period', v.nullish(Runs, String(MAX_RUNS))),
  bytes: about(
    'maximum total output of the sessions in a period (default: no limit)',
    v.nullish(size('1KiB', '1048576GiB')),
  ),
  hours: about(
    'maximum total running time of the sessions in a period, in hours (default: no limit)',
    v.nullish(Hours),
  ),
  per: about('length of the period of the budget', v.nullish(duration('1m', '31d'), '1d')),
})

export const UserShape = map({
  name: about('name of the user', matching(USER_NAME, USER_NAME_FORM)),
  kind: about(
    'kind of the user; a machine cannot approve, and may have a budget',
    v.nullish(choice({ person: 'person', machine: 'machine' }), 'person'),
  ),
  token: about(
    'bearer token, or the hash of the token; a reference such as file://admin.token is safer than the token itself',
    v.nullish(SecretHash),
  ),
  tokens: about('further tokens of the user, each with a name', v.nullish(list(TokenShape, 'tokens'), [])),
  groups: about(
    'names of the groups of the user; members of admin are admins, members of auditor are auditors',
    v.nullish(list(Name, 'group names'), []),
  ),
  oidc: about(
    'whether the person with this name at the sign-in provider is this user',
    v.nullish(truth, 'false'),
  ),
  budget: about(
    'budget of a machine: the sessions, output and running time that it may use in any period',
    v.nullish(BudgetShape),
  ),
})

type UserShape = v.InferOutput<typeof UserShape>

/** The name of `users[].token`. */
const FIRST_TOKEN = 'token'
const HOUR_MS = 60 * 60 * 1000

export function buildUser(shape: UserShape, problems: Problems, path: Path): UserSettings {
  const { name, kind, groups, oidc, budget } = shape
  if (budget && kind !== 'machine')
    problems.add([...path, 'budget'], 'only machines have a budget; set kind: machine')
  if (oidc && kind === 'machine')
    problems.add([...path, 'oidc'], 'a machine does not sign in with an account; set kind: person')
  return {
    name,
    kind,
    groups,
    oidc,
    tokens: buildTokens(shape, problems, path),
    ...(budget && { budget: buildBudget(budget) }),
  }
}

function buildTokens({ token, tokens }: UserShape, problems: Problems, path: Path): TokenSettings[] {
  const named = new Set(token ? [FIRST_TOKEN] : [])
  tokens.forEach(({ name }, i) => {
    if (named.has(name))
      problems.add([...path, 'tokens', i, 'name'], 'this user already has a token with this name')
    named.add(name)
  })
  const more = tokens.map(({ name, token: sha256, expires }) => ({
    name,
    sha256,
    ...(typeof expires === 'number' && { expiresAt: expires }),
  }))
  return token ? [{ name: FIRST_TOKEN, sha256: token }, ...more] : more
}

/** `per` is in ms. */
export function buildBudget({ runs, bytes, hours, per }: BudgetAsked): Budget {
  return {
    runs,
    perMs: per,
    ...(typeof bytes === 'number' && { bytes }),
    ...(typeof hours === 'number' && { runningMs: hours * HOUR_MS }),
  }
}

/** Checks that no two users have the same token. */
export function checkTokens(users: readonly UserShape[], problems: Problems): void {
  const first = new Map<string, { readonly user: number; readonly place: string }>()
  const check = (hash: Buffer, user: number, setting: Path): void => {
    const path = ['users', user, ...setting]
    const other = first.get(hash.toString('hex'))
    if (other === undefined) first.set(hash.toString('hex'), { user, place: problems.lineOf(path) })
    else problems.add(path, `users[${other.user}] has this token already (${other.place})`)
  }
  users.forEach(({ token, tokens }, i) => {
    if (token) check(token, i, ['token'])
    tokens.forEach((one, at) => check(one.token, i, ['tokens', at, 'token']))
  })
}
