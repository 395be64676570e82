import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { openToOthers } from '../basics/files/private-path.ts'
import { decodeUtf8, FileRefused, readSmallFile } from '../basics/files/small-file.ts'
import { Secret } from '../basics/secret.ts'
import type { Found, Lookup } from './settings-file.ts'
import { SETTINGS } from './table.ts'

export interface Key {
  readonly kind: 'key'
  readonly value: Secret
  /** Name of the setting with the key, for errors about the key's form. */
  readonly source: string
}

/** Maximum size of a key's file in bytes. A key has some hundred characters. */
const MAX_KEY_BYTES = 16 * 1024

export interface CredentialSearch {
  readonly lookup: Lookup
  /** The folder in systemd's CREDENTIALS_DIRECTORY. */
  readonly credentials: string | undefined
  readonly warnings: string[]
}

/**
 * Takes `key` or `key-file`, whichever has the higher precedence. If both are missing, takes systemd's
 * credential.
 */
export function findKey(search: CredentialSearch): Key | undefined {
  const { lookup } = search
  const { problems } = lookup
  const before = problems.count
  const key = lookup.find(SETTINGS.key)
  const keyFile = lookup.find(SETTINGS.keyFile)
  if (problems.count > before) return undefined
  if (key !== undefined && key.rank === keyFile?.rank) {
    problems.addFrom(keyFile.place, `key (${key.place}) and key-file are both given: remove one of them`)
    return undefined
  }
  if (key !== undefined && key.rank > (keyFile?.rank ?? -1)) return givenKey(key, search)
  if (keyFile !== undefined) return keyInFile(lookup.pathIn(keyFile), keyFile.place, search)
  return lookup.file.entries === undefined ? undefined : systemdKey(search)
}

function givenKey(key: Found<Secret>, search: CredentialSearch): Key {
  const isDeprecated = key.place === 'HOOP_DSN'
  if (isDeprecated) search.warnings.push('HOOP_DSN is deprecated: use HOOP_KEY or key-file')
  warnOfPlace(key, search)
  const place = isDeprecated ? 'HOOP_DSN (deprecated)' : key.place
  return { kind: 'key', value: key.value, source: key.from === 'file' ? `${key.place} key` : place }
}

/** Warns if other users or programs can read the credential in the environment or in its file. */
export function warnOfPlace(
  { from, place, reference }: Found<Secret>,
  { lookup, warnings }: CredentialSearch,
): void {
  if (from !== 'file' || reference?.kind === 'variable')
    warnings.push(
      `${reference?.name ?? place}: the program that started the agent has the key in its environment, too; if the agent runs as root, commands can read the key there: prefer key-file`,
    )
  else warnOfReaders(place, reference?.path ?? lookup.file.path, warnings)
}

function warnOfReaders(place: string, file: string, warnings: string[], isForGroup = false): void {
  const readable = openToOthers('read', file, 'the key', isForGroup)
  if (readable !== undefined) warnings.push(`${place}: ${readable.what}: ${readable.advice}`)
}

function systemdKey(search: CredentialSearch): Key | undefined {
  const path = search.credentials ? join(search.credentials, 'hoop-key') : undefined
  if (path === undefined || !existsSync(path)) return undefined
  return keyInFile(path, 'CREDENTIALS_DIRECTORY', search)
}

function keyInFile(path: string, place: string, search: CredentialSearch): Key | undefined {
  try {
    const { bytes } = readSmallFile(path, MAX_KEY_BYTES)
    const key = decodeUtf8(bytes).trim()
    if (key === '') throw new FileRefused('EMPTY', 'is empty: write the key into it')
    warnOfReaders(place, path, search.warnings, isCredential(path, search.credentials))
    return { kind: 'key', value: new Secret(key), source: `key-file ${path}` }
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    search.lookup.problems.addFrom(place, `the key-file ${path} ${error.message}`)
    return undefined
  }
}

/**
 * Returns whether the file is in systemd's folder of credentials. systemd gives the unit's user access with
 * an ACL, which `stat` shows as a permission of the group.
 */
export function isCredential(path: string, credentials: string | undefined): boolean {
  return Boolean(credentials) && dirname(path) === resolve(credentials ?? '')
}

/** A credential that does not contain the gateway's address. */
export interface GatewayToken {
  /** `svid` is a JWT-SVID of SPIFFE. `token` is a token of the old kind. */
  readonly kind: 'svid' | 'token'
  readonly value: Secret
  readonly source: string
  /** The gateway's address as the user gave it. `gatewaySource` is the setting that contains this address. */
  readonly gateway: string
  readonly gatewaySource: string
  /** The agent's name in its log. The name may be empty. */
  readonly name: string
  readonly plaintext: boolean
}

/** Hoop's agent uses no TLS for exactly this address. */
const LOCAL_GATEWAY = '127.0.0.1:8010'
/** Maximum size of an SVID's file in bytes. A JWT with many claims has some thousand characters. */
const MAX_SVID_BYTES = 64 * 1024

/** Finds a JWT-SVID. If the SVID cannot be used, adds a problem with the text of protocol.md 2.3. */
export function findSvid(search: CredentialSearch): GatewayToken | undefined {
  const { lookup } = search
  const svidFile = lookup.find(SETTINGS.spiffeKeyFile)
  if (svidFile === undefined) return undefined
  const gateway = lookup.find(SETTINGS.grpcUrl)
  if (gateway === undefined) {
    lookup.problems.addFrom(
      `${svidFile.place} requires HOOP_GRPCURL to be set`,
      'the setting in the file is grpc-url',
    )
    return undefined
  }
  const value = readSvid(svidFile, lookup)
  return (
    value && {
      kind: 'svid',
      value,
      source: svidFile.place,
      gateway: gateway.value,
      gatewaySource: gateway.place,
      name: lookup.find(SETTINGS.spiffeName)?.value ?? '',
      plaintext: gateway.value === LOCAL_GATEWAY || lookup.value(SETTINGS.spiffeInsecure),
    }
  )
}

/**
 * Finds a token of the old kind. A token without a gateway's address is ignored, because `TOKEN` may belong
 * to another program.
 */
export function findToken(search: CredentialSearch): GatewayToken | undefined {
  const token = search.lookup.find(SETTINGS.token)
  const gateway = search.lookup.find(SETTINGS.grpcUrl)
  if (token === undefined || gateway === undefined) return undefined
  if (/[^\x21-\x7e]/.test(token.value.reveal())) {
    search.lookup.problems.addFrom(token.place, 'token must be one word of ASCII characters')
    return undefined
  }
  return {
    kind: 'token',
    value: token.value,
    source: token.place,
    gateway: gateway.value,
    gatewaySource: gateway.place,
    name: '',
    plaintext: gateway.value === LOCAL_GATEWAY,
  }
}

function readSvid(found: Found<string>, lookup: Lookup): Secret | undefined {
  const path = lookup.pathIn(found)
  const file = `${found.place} "${path}"`
  try {
    const svid = decodeUtf8(readSmallFile(path, MAX_SVID_BYTES).bytes).trim()
    if (svid === '')
      lookup.problems.addFrom(`${file} is empty`, 'check that the SPIFFE agent has written the file')
    else if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(svid))
      lookup.problems.addFrom(
        `${file} does not look like a JWT (expected three dot-separated segments)`,
        'the file must contain one JWT-SVID and no other text',
      )
    else return new Secret(svid)
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    lookup.problems.addFrom(`failed reading ${file}`, `the file ${error.message}`)
  }
  return undefined
}
