import { resolve } from 'node:path'
import type { X509Certificate } from 'node:crypto'
import { certificatesIn, pemText, privateKeyIn, unreadableAuthorities } from '../basics/net/authorities.ts'
import { Secret } from '../basics/secret.ts'
import { SetUpError } from '../basics/set-up-error.ts'
import type { Found, Lookup } from './settings-file.ts'
import { SETTINGS } from './table.ts'

/** Settings that are already checked: the texts are valid PEM. */
export interface TlsSettings {
  /** Undefined means the authorities of the system. */
  readonly authorities: readonly string[] | undefined
  readonly serverName: string | undefined
  readonly skipVerify: boolean
  readonly client: { readonly certificate: string; readonly key: Secret } | undefined
}

interface TlsSearch {
  readonly lookup: Lookup
  readonly env: NodeJS.ProcessEnv
  readonly warnings: string[]
}

export function findTls(search: TlsSearch): TlsSettings {
  const { lookup, warnings } = search
  const skipVerify = lookup.find(SETTINGS.tlsSkipVerify)
  if (skipVerify?.value === true)
    warnings.push(
      `${skipVerify.place}: an attacker on the network can impersonate the gateway: prefer tls.ca`,
    )
  return {
    authorities: findAuthorities(search),
    serverName: lookup.find(SETTINGS.tlsServerName)?.value,
    skipVerify: skipVerify?.value ?? false,
    client: findClient(search),
  }
}

function findAuthorities({ lookup, env, warnings }: TlsSearch): string[] | undefined {
  const found = lookup.find(SETTINGS.tlsCa)
  if (found === undefined) {
    warnings.push(...unreadableAuthorities(env))
    return undefined
  }
  const certificates = reading(found, lookup, 'failed to append root CA into cert pool: ', () =>
    certificatesIn(pemOf(found)),
  )
  return certificates?.map(String)
}

function findClient(search: TlsSearch): TlsSettings['client'] {
  const cert = search.lookup.find(SETTINGS.tlsCert)
  const key = search.lookup.find(SETTINGS.tlsKey)
  if (cert !== undefined && key !== undefined) return readClient(cert, key, search)
  const missing = cert === undefined ? 'tls.cert' : 'tls.key'
  const given = cert ?? key
  if (given !== undefined)
    search.lookup.problems.addFrom(
      given.place,
      `tls.cert and tls.key are needed together: set ${missing} as well`,
    )
  return undefined
}

function readClient(
  cert: Found<string>,
  key: Found<string>,
  { lookup, warnings }: TlsSearch,
): TlsSettings['client'] {
  const chain = reading(cert, lookup, '', () => certificatesIn(pemOf(cert)))
  const pair = reading(key, lookup, '', () => {
    const text = pemOf(key)
    return { text, key: privateKeyIn(text) }
  })
  const own = chain?.[0]
  if (chain === undefined || own === undefined || pair === undefined) return undefined
  if (!own.checkPrivateKey(pair.key)) {
    lookup.problems.addFrom(
      key.place,
      `this is not the key of the first certificate in tls.cert (${cert.place})`,
    )
    return undefined
  }
  warnOfAge(own, cert, warnings)
  return { certificate: chain.map(String).join(''), key: new Secret(pair.text) }
}

function warnOfAge({ validTo }: X509Certificate, { place }: Found<string>, warnings: string[]): void {
  if (Date.parse(validTo) < Date.now())
    warnings.push(`${place}: the certificate in tls.cert has expired on ${validTo}`)
}

function reading<T>(
  found: Found<string>,
  { problems }: Lookup,
  prefix: string,
  read: () => T,
): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error
    problems.addFrom(found.place, `${prefix}${error.message}`)
    return undefined
  }
}

/**
 * Reads the text behind a reference. `Lookup` has already resolved `file://` in the settings file. This
 * function resolves it for flags and variables.
 */
function pemOf({ value }: Found<string>): string {
  return pemText(value, (path) => resolve(path))
}
