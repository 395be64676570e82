import type { ConnectionSettings, UserSettings } from './settings.ts'

/**
 * Whether a change surely lets somebody do more (`opens`) or less (`closes`). `both`: the change is about
 * access, and parts of the entry do the one and parts the other, or it may do either. `other`: the rest.
 */
export type AccessEffect = 'opens' | 'closes' | 'both' | 'other'

interface Changed {
  readonly setting: string
  readonly change: 'added' | 'removed' | 'changed'
}

/** Settings whose entries give access. */
const GIVES: readonly string[] = ['users', 'connections', 'signIn', 'mcp']

/** @param parts the effects of the changed parts */
export function effectOfEntry({ setting, change }: Changed, parts: readonly AccessEffect[]): AccessEffect {
  if (change !== 'changed')
    return GIVES.includes(setting) ? (change === 'added' ? 'opens' : 'closes') : 'other'
  const has = (effect: AccessEffect) => parts.includes(effect) || parts.includes('both')
  const [opens, closes] = [has('opens'), has('closes')]
  if (opens && closes) return 'both'
  return opens ? 'opens' : closes ? 'closes' : 'other'
}

/** Returns the effect of one part of an entry that both settings have. */
export function effectOf(setting: string, part: string, before: unknown, after: unknown): AccessEffect {
  if (setting === 'users') return ofUser(part, before as UserSettings, after as UserSettings)
  if (setting === 'connections')
    return ofConnection(part, before as ConnectionSettings, after as ConnectionSettings)
  // These settings select accounts of the provider. The gateway does not know the accounts, so it cannot tell the effect.
  if (setting === 'signIn' && WHO_SIGNS_IN.test(part)) return 'both'
  return 'other'
}

const WHO_SIGNS_IN =
  /^(?:issuer|client-id|name-claim|groups-claim|groups|allowed-groups|allowed-domains)(?:\.|$)/

function ofUser(part: string, before: UserSettings, after: UserSettings): AccessEffect {
  if (part === 'oidc') return ofFlag(before.oidc, after.oidc)
  if (part === 'groups') {
    // Auditors run and decide nothing, so this group takes rights and gives some.
    const isAuditor = ({ groups }: UserSettings) => groups.includes('auditor')
    return isAuditor(before) === isAuditor(after) ? ofSets(before.groups, after.groups) : 'both'
  }
  const [, name, what] = /^tokens\.(.+)\.(token|expires)$/.exec(part) ?? []
  if (name === undefined) return 'other'
  const [old, next] = [before, after].map(({ tokens }) => tokens.find((token) => token.name === name))
  if (what === 'token' || old === undefined || next === undefined)
    return ofFlag(old !== undefined, next !== undefined)
  return ofNumbers(old.expiresAt ?? Infinity, next.expiresAt ?? Infinity)
}

/** Switches of a connection that give access when they are on. */
const SWITCHES = {
  'access.runbooks': 'runbooks',
  'access.exec': 'exec',
  'access.connect': 'connect',
  'access.schema': 'schema',
  'access.client-input': 'clientInput',
} as const

function ofConnection(part: string, before: ConnectionSettings, after: ConnectionSettings): AccessEffect {
  if (part in SWITCHES) {
    const name = SWITCHES[part as keyof typeof SWITCHES]
    return ofFlag(before.access[name], after.access[name])
  }
  for (const section of ['review', 'masking'] as const)
    if (part.startsWith(section) && (before[section] === undefined || after[section] === undefined))
      return opposite(ofFlag(before[section] !== undefined, after[section] !== undefined))
  // The first rule whose path matches counts, so another rule may ask more of some runbooks and less of others.
  if (part.startsWith('runbooks.reviews')) return 'both'
  switch (part) {
    case 'access.client-escapes':
      return ofFlag(before.access.clientEscapes === 'allow', after.access.clientEscapes === 'allow')
    case 'access.groups':
      return ofGroups(before.access.groups, after.access.groups)
    case 'sessions':
      return ofNumbers(SEEN[before.sessions ?? ''], SEEN[after.sessions ?? ''])
    case 'guardrails':
      return opposite(ofSets(namesOf(before), namesOf(after)))
    case 'confirm':
      return opposite(ofFlag(before.confirm === true, after.confirm === true))
    case 'review.groups':
      return ofSets(before.review?.groups ?? [], after.review?.groups ?? [])
    case 'review.minimum':
      return opposite(ofNumbers(before.review?.minimum, after.review?.minimum))
    case 'review.skip-groups':
      return ofSets(before.review?.skipGroups ?? [], after.review?.skipGroups ?? [])
    case 'review.force-groups':
      return ofSets(before.review?.forceGroups ?? [], after.review?.forceGroups ?? [])
    case 'review.self-approval':
      return ofFlag(before.review?.selfApproval === true, after.review?.selfApproval === true)
    case 'review.expires':
      return ofNumbers(before.review?.expiresMs, after.review?.expiresMs)
    case 'review.access-max-duration':
      return ofNumbers(before.review?.accessMaxMs, after.review?.accessMaxMs)
  }
  return 'other'
}

const SEEN: Readonly<Record<string, number>> = { '': 0, groups: 1, all: 2 }

function namesOf({ guardrails }: ConnectionSettings): string[] {
  return guardrails.map(({ name }) => name)
}

/** Undefined stands for all users. */
function ofGroups(before: readonly string[] | undefined, after: readonly string[] | undefined): AccessEffect {
  if (before !== undefined && after !== undefined) return ofSets(before, after)
  return ofFlag(before === undefined, after === undefined)
}

function ofSets(before: readonly string[], after: readonly string[]): AccessEffect {
  const more = after.some((one) => !before.includes(one))
  const less = before.some((one) => !after.includes(one))
  if (more && less) return 'both'
  return more ? 'opens' : less ? 'closes' : 'other'
}

function ofFlag(before: boolean, after: boolean): AccessEffect {
  return before === after ? 'other' : after ? 'opens' : 'closes'
}

function ofNumbers(before = 0, after = 0): AccessEffect {
  return before === after ? 'other' : after > before ? 'opens' : 'closes'
}

function opposite(effect: AccessEffect): AccessEffect {
  return effect === 'opens' ? 'closes' : effect === 'closes' ? 'opens' : effect
}
