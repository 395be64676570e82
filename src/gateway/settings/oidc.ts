import { systemAuthorities } from '../../basics/net/authorities.ts'
import { proxyFrom, type ProxySettings } from '../../basics/net/proxy.ts'
import type { Secret } from '../../basics/secret.ts'
import type { Problems } from '../../basics/settings/problems.ts'
import type { Sources } from '../../basics/settings/references.ts'
import type { OidcShape } from './shapes/oidc-shape.ts'

/** An OpenID Connect provider, and who of those that it knows may sign in. */
export interface OidcSettings {
  readonly issuer: string
  readonly clientId: string
  /** Undefined: a public client. */
  readonly clientSecret?: Secret
  /** Without `openid`, which is always asked for. */
  readonly scopes: readonly string[]
  readonly nameClaim: string
  readonly groupsClaim: string
  /** From groups at the provider to groups here. Undefined: they have the same names. */
  readonly groups?: Readonly<Record<string, string>>
  /** At the provider. Empty: members of any. */
  readonly allowedGroups: readonly string[]
  /** In lower case. Empty: any. */
  readonly allowedDomains: readonly string[]
  readonly lifetimeMs: number
  readonly timeoutMs: number
  /** In PEM. Read when it is needed: the system's are many. */
  readonly authorities: () => readonly string[]
  /** The proxy of the gateway's environment. */
  readonly proxy: ProxySettings | undefined
}

export function buildOidc(shape: OidcShape, { env }: Sources, problems: Problems): OidcSettings {
  const { 'allowed-groups': allowedGroups, 'allowed-domains': allowedDomains, everybody, ca } = shape
  const isLimited = allowedGroups.length + allowedDomains.length > 0
  if (!isLimited && !everybody)
    problems.add(
      ['sign-in', 'oidc'],
      'who may sign in? allowed-groups or allowed-domains is expected, or everybody: true for all that the provider knows',
    )
  if (isLimited && everybody)
    problems.add(
      ['sign-in', 'oidc', 'everybody'],
      'allowed-groups and allowed-domains say who may: one of the two',
    )
  const { issuer, 'client-id': clientId, 'client-secret': clientSecret, scopes, groups } = shape
  return {
    ...{ issuer, clientId, ...(clientSecret && { clientSecret }) },
    scopes: scopes.filter((scope) => scope !== 'openid'),
    ...{ nameClaim: shape['name-claim'], groupsClaim: shape['groups-claim'] },
    ...(Object.keys(groups).length > 0 && { groups }),
    ...{ allowedGroups, allowedDomains, lifetimeMs: shape.lifetime, timeoutMs: shape.timeout },
    authorities: () => ca ?? systemAuthorities(env),
    proxy: proxyFrom(env, problems),
  }
}
