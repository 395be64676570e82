import type { OidcSettings } from '../../settings/oidc.ts'
import { USER_NAME } from '../../../contract/words.ts'
import type { Claims } from './provider.ts'
import { SignInRefused } from './refused.ts'

/** Somebody of the provider who may sign in. */
export interface Admitted {
  readonly issuer: string
  /** Who it is at the provider, whatever it is called there. */
  readonly subject: string
  readonly name: string
  /** Here. */
  readonly groups: readonly string[]
}

/** More would be looked through at each request. */
const MOST_GROUPS = 200
const GROUP_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/
/** Nobody gets them by a name that he may have chosen at the provider. */
const GIVEN_BY_SETTINGS = new Set(['admin', 'auditor'])

/**
 * As OpenID Connect has it: 1 to 255 ASCII characters. Spaces around it would be overlooked by people who compare two.
 */
const SUBJECT = /^(?! )[\x20-\x7e]{1,255}(?<! )$/

/** @throws SignInRefused for who may not sign in here */
export function admitted(claims: Claims, settings: OidcSettings): Admitted {
  if (!SUBJECT.test(claims.sub))
    throw new SignInRefused(
      'sign-in-refused',
      'the provider sends no usable account (sub): ask an administrator',
    )
  const name = nameIn(claims, settings)
  const there = groupsIn(claims, settings)
  if (!isAllowed(claims, there, settings))
    throw new SignInRefused('sign-in-refused', `${name} may not sign in here: ask an administrator`)
  return { issuer: claims.iss, subject: claims.sub, name, groups: groupsHere(there, settings) }
}

function nameIn(claims: Claims, { nameClaim }: OidcSettings): string {
  if (nameClaim === 'email' && claims['email_verified'] !== true)
    throw new SignInRefused('sign-in-refused', 'the provider has not verified your email')
  const name = claims[nameClaim]
  if (typeof name === 'string' && USER_NAME.test(name)) return name
  const what = name === undefined ? 'says no' : 'says none that can be a name here as'
  throw new SignInRefused('sign-in-refused', `the provider ${what} ${nameClaim}: ask an administrator`)
}

function groupsIn(claims: Claims, { groupsClaim }: OidcSettings): readonly string[] {
  const said = claims[groupsClaim]
  const list: readonly unknown[] = Array.isArray(said) ? said : [said]
  return list.filter((one): one is string => typeof one === 'string').slice(0, MOST_GROUPS)
}

function isAllowed(
  claims: Claims,
  there: readonly string[],
  { allowedGroups, allowedDomains }: OidcSettings,
): boolean {
  const isMember = allowedGroups.length === 0 || there.some((group) => allowedGroups.includes(group))
  return isMember && (allowedDomains.length === 0 || isOfDomain(claims, allowedDomains))
}

function isOfDomain({ email, email_verified: isVerified }: Claims, domains: readonly string[]): boolean {
  if (typeof email !== 'string' || isVerified !== true) return false
  return domains.includes(email.slice(email.lastIndexOf('@') + 1).toLowerCase())
}

function groupsHere(there: readonly string[], { groups }: OidcSettings): string[] {
  const here =
    groups === undefined
      ? there.filter((group) => GROUP_NAME.test(group) && !GIVEN_BY_SETTINGS.has(group))
      : there.flatMap((group) => (Object.hasOwn(groups, group) ? [groups[group] ?? ''] : []))
  return [...new Set(here)].toSorted()
}
