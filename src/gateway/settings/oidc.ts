import * as v from 'valibot'
import { systemAuthorities } from '../../basics/net/authorities.ts'
import { proxyFrom, type ProxySettings } from '../../basics/net/proxy.ts'
import { Secret } from '../../basics/secret.ts'
import { textJson } from '../../basics/settings/json-schema.ts'
import type { Problems } from '../../basics/settings/problems.ts'
import type { Sources } from '../../basics/settings/references.ts'
import {
  about,
  duration,
  entries,
  entryName,
  json,
  list,
  map,
  matching,
  parsed,
  truth,
} from '../../basics/settings/shapes.ts'
import { Authorities } from './jira.ts'
import { Name } from './words.ts'

/** Without TLS, only a provider on this machine, for example in a trial. */
const ISSUER =
  /^(?:https:\/\/[^\s?#@\\/]+|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?)(?:\/[^\s?#@\\]*)?$/i
const Issuer = parsed(
  (text) => (ISSUER.test(text) && URL.canParse(text) ? text : undefined),
  'an address like https://accounts.example.org, or http:// with 127.0.0.1, [::1] or localhost, without user, ? and #,',
  textJson(ISSUER),
)

const ClientSecret = v.pipe(
  parsed(
    (text) => (/^[\x20-\x7e]{1,4096}$/.test(text) ? new Secret(text) : undefined),
    'a secret of printable characters',
  ),
  json({ writeOnly: true }),
)

const Claim = matching(/^[\x21-\x7e]{1,200}$/, 'the name of a claim')
const Domain = parsed(
  (text) => (/^(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+$/.test(text) ? text.toLowerCase() : undefined),
  'a domain, like example.org,',
)
const ProviderGroup = matching(/^[^\p{Cc}]{1,200}$/u, 'the name of a group at the provider')
const ProviderGroupName = entryName(/^[^\p{Cc}]{1,200}$/u, 'the name of a group at the provider')

const OidcShape = map({
  issuer: about('address of the provider (issuer)', Issuer),
  'client-id': about(
    'client ID of this gateway at the provider',
    matching(/^[\x21-\x7e]{1,500}$/, 'one word'),
  ),
  'client-secret': about(
    'client secret of this gateway at the provider; a reference such as file://client.secret is safer than the secret itself (default: no secret; then only PKCE protects the sign-in)',
    v.nullish(ClientSecret),
  ),
  scopes: about(
    'scopes that are requested in addition to openid',
    v.nullish(list(matching(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'a scope'), 'scopes'), ['email', 'profile']),
  ),
  'name-claim': about(
    'name of the claim that contains the name of the user; if the claim is email, the provider must have verified the address',
    v.nullish(Claim, 'email'),
  ),
  'groups-claim': about(
    "name of the claim that contains the user's groups at the provider",
    v.nullish(Claim, 'groups'),
  ),
  groups: about(
    'map of groups at the provider to groups of this gateway; other groups are ignored. Without this map, groups keep their names, but no group gives the role admin or auditor',
    entries(ProviderGroupName, Name, 'shown'),
  ),
  'allowed-groups': about(
    'groups at the provider whose members may sign in',
    v.nullish(list(ProviderGroup, 'groups'), []),
  ),
  'allowed-domains': about(
    'domains whose verified email addresses may sign in',
    v.nullish(list(Domain, 'domains'), []),
  ),
  everybody: about('whether all users of the provider may sign in', v.nullish(truth, 'false')),
  lifetime: about('how long a sign-in is valid', v.nullish(duration('5m', '30d'), '12h')),
  timeout: about(
    'maximum time for an answer of the provider; after that time the sign-in fails',
    v.nullish(duration('1s', '1m'), '10s'),
  ),
  ca: about(
    "certificate authorities for the provider's certificate (default: the authorities of the system)",
    v.nullish(Authorities),
  ),
})

export const SignInShape = map({
  oidc: about('an OpenID Connect provider', v.nullish(OidcShape)),
})

type OidcShape = v.InferOutput<typeof OidcShape>

export interface OidcSettings {
  readonly issuer: string
  readonly clientId: string
  /** Undefined for a public client. */
  readonly clientSecret?: Secret
  /** Scopes besides `openid`, which is always requested. */
  readonly scopes: readonly string[]
  readonly nameClaim: string
  readonly groupsClaim: string
  /** Maps a group of the provider to a group of this gateway. Undefined if groups keep their names. */
  readonly groups?: Readonly<Record<string, string>>
  /** Groups of the provider whose users may sign in. If the list is empty, groups are not checked. */
  readonly allowedGroups: readonly string[]
  /** Domains in lower case whose users may sign in. If the list is empty, domains are not checked. */
  readonly allowedDomains: readonly string[]
  readonly lifetimeMs: number
  readonly timeoutMs: number
  /** Returns certificates in PEM. The system has many authorities, so they are read only when needed. */
  readonly authorities: () => readonly string[]
  /** Comes from the gateway's environment. */
  readonly proxy: ProxySettings | undefined
}

export function buildOidc(shape: OidcShape, { env }: Sources, problems: Problems): OidcSettings {
  const { 'allowed-groups': allowedGroups, 'allowed-domains': allowedDomains, everybody, ca } = shape
  const isLimited = allowedGroups.length + allowedDomains.length > 0
  if (!isLimited && !everybody)
    problems.add(
      ['sign-in', 'oidc'],
      'nothing says who may sign in: set allowed-groups or allowed-domains, or everybody: true for all users of the provider',
    )
  if (isLimited && everybody)
    problems.add(
      ['sign-in', 'oidc', 'everybody'],
      'everybody: true contradicts allowed-groups and allowed-domains; leave out everybody or the lists',
    )
  const { issuer, 'client-id': clientId, 'client-secret': clientSecret, scopes, groups } = shape
  return {
    issuer,
    clientId,
    ...(clientSecret && { clientSecret }),
    scopes: scopes.filter((scope) => scope !== 'openid'),
    nameClaim: shape['name-claim'],
    groupsClaim: shape['groups-claim'],
    ...(Object.keys(groups).length > 0 && { groups }),
    allowedGroups,
    allowedDomains,
    lifetimeMs: shape.lifetime,
    timeoutMs: shape.timeout,
    authorities: () => ca ?? systemAuthorities(env),
    proxy: proxyFrom(env, problems),
  }
}
