import { constants, statSync } from 'node:fs'
import path from 'node:path'
import type { Identity } from '../../agent/connection/identity.ts'
import { mayAccess } from '../../basics/files/access.ts'
import { openToOthers } from '../../basics/files/private-path.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import type { AgentConfiguration } from '../../config.ts'
import { isCredential } from '../../config/key.ts'
import { type Found, locateFile, Lookup, type SettingsSource } from '../../config/settings-file.ts'
import { SETTINGS } from '../../config/table.ts'
import { VaultError } from '../../envvars/secrets/vault/request.ts'
import { readVaultSettings } from '../../envvars/secrets/vault/settings.ts'
import { Vault } from '../../envvars/secrets/vault/vault.ts'
import { type Finding, ok, skipped, warning, broken } from '../examination.ts'
import { Failure } from '../exit-codes.ts'
import { readIdentity } from '../start/settings.ts'
import { routeOf, type Route } from './way.ts'

/**
 * The form of secrets that hoop makes: 32 random bytes after a prefix. Secrets of other forms work as well.
 */
const USUAL_SECRET = /^xagt-[\w-]{43}$/

export function checkKey(settings: AgentConfiguration): Finding<Route> {
  try {
    const identity = readIdentity(settings)
    return { ...judge(settings, identity), fact: routeOf(identity, settings) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return broken('the key cannot be used', error.message)
  }
}

function judge({ key }: AgentConfiguration, identity: Identity): Finding {
  const way = `to ${identity.address}, ${identity.tls === undefined ? 'without TLS' : 'with TLS'}, from ${key.source}`
  if (key.kind === 'token') return ok(`token in hoop's older form ${way}`)
  if (key.kind === 'svid') return svid(identity, way)
  const mode = identity.embedded ? 'embedded' : 'standard'
  const secret = secretOf(identity)
  const form =
    secret === undefined || USUAL_SECRET.test(secret) ? '' : ', with a secret that hoop did not create'
  return ok(`key of "${identity.name}" (${mode}) ${way}${form}`)
}

/**
 * Returns the secret part of the key. Returns undefined for a key of the old form, which is secret as a
 * whole.
 */
function secretOf({ token }: Identity): string | undefined {
  const { password } = new URL(token.reveal())
  return password === '' ? undefined : password
}

function svid({ token }: Identity, way: string): Finding {
  const leftMs = remaining(token.reveal())
  if (leftMs === undefined) return ok(`JWT-SVID that does not expire, ${way}`)
  const minutes = Math.floor(Math.abs(leftMs) / 60_000)
  if (leftMs > 0) return ok(`JWT-SVID valid for ${minutes} more min, ${way}`)
  return broken(
    `JWT-SVID that expired ${minutes} min ago, ${way}`,
    'The agent reads the file before each connection attempt. Check the clock, and check that the SPIFFE agent renews the file',
  )
}

/** Returns the milliseconds until the token's `exp`. Returns undefined if it has none. */
function remaining(jwt: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    const end = typeof claims === 'object' && claims !== null && 'exp' in claims ? Number(claims.exp) : NaN
    return Number.isFinite(end) ? end * 1000 - Date.now() : undefined
  } catch {
    return undefined
  }
}

const WRITABLE_BY_OTHERS = 0o022
const STICKY = 0o1000

/** Tests whether other users can read or replace the file. */
export function judgeKeyFile(place: KeyPlace, env: NodeJS.ProcessEnv): Finding {
  if (place.kind === 'variable') return skipped(`the key is in the variable ${place.name}, not in a file`)
  const { mode, uid } = statSync(place.path)
  const folder = path.dirname(place.path)
  const found = `${place.path}, mode ${octal(mode)}, owner ${uid}`
  const writable = openToOthers('write', place.path, 'the key')
  if (writable !== undefined) return warning(`${found}: ${writable.what}`, writable.advice)
  if (isOpen(statSync(folder).mode))
    return warning(`${found}: other users can replace this file in its folder`, `chmod go-w ${folder}`)
  const isForGroup = isCredential(place.path, env['CREDENTIALS_DIRECTORY'])
  const readable = openToOthers('read', place.path, 'the key', isForGroup)
  if (readable === undefined) return ok(found)
  return warning(
    `${found}: ${readable.what}`,
    `${readable.advice} (Kubernetes: defaultMode: 0400 for the volume of the secret)`,
  )
}

/**
 * Whether other users can replace files in the folder. In a sticky folder like /tmp, they cannot change the
 * files of others.
 */
function isOpen(mode: number): boolean {
  return (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

type KeyPlace =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'variable'; readonly name: string }

export function keyPlace({ kind }: AgentConfiguration['key'], source: SettingsSource): KeyPlace {
  const lookup = new Lookup(source)
  const keyFile = lookup.find(kind === 'svid' ? SETTINGS.spiffeKeyFile : SETTINGS.keyFile)
  const key = kind === 'svid' ? undefined : lookup.find(kind === 'token' ? SETTINGS.token : SETTINGS.key)
  if (keyFile !== undefined && kind !== 'token' && keyFile.rank > (key?.rank ?? -1))
    return { kind: 'file', path: lookup.pathIn(keyFile) }
  if (key !== undefined) return placeOf(key, source)
  return { kind: 'file', path: path.join(source.env['CREDENTIALS_DIRECTORY'] ?? '', 'hoop-key') }
}

function placeOf({ from, place, reference }: Found<unknown>, source: SettingsSource): KeyPlace {
  if (from !== 'file') return { kind: 'variable', name: place }
  return reference ?? { kind: 'file', path: locateFile(source).path }
}

/**
 * @param canRead tests whether a command can read the environment of a process with the protection of an
 * agent
 */
export async function checkKeyExposure(
  place: KeyPlace,
  canRead: () => Promise<boolean | undefined>,
): Promise<Finding> {
  if (place.kind === 'file') return file(place.path)
  const readable = await canRead()
  if (readable === undefined) return skipped('the test command could not be started')
  const found = `${place.name} is in the environment of the agent: a test command ${readable ? 'could' : 'could not'} read this environment in /proc`
  const advice = readable
    ? 'Commands can steal the key: put the key into a file and set key-file, and do not run the agent as root'
    : 'Other programs also see the key, for example the program that started the agent: prefer key-file'
  return warning(found, advice)
}

/**
 * Reports whether commands can read the file. Commands run as the agent's user, and root reads every file.
 */
function file(path: string): Finding {
  if (process.geteuid?.() === 0)
    return warning(
      `the key is not in the environment, but commands run as root and can read ${path}`,
      'Run the agent as a separate user',
    )
  const how = mayAccess(path, constants.R_OK)
    ? `but commands run as the same user, which can read ${path}`
    : `and commands cannot read ${path}`
  return ok(`the key is not in the environment, ${how}`)
}

type Variables = Readonly<Record<string, string | undefined>>

export function hasVault(env: Variables): boolean {
  return ['VAULT_ADDR', 'VAULT_APP_ROLE_ID', 'VAULT_AUTH_METHOD'].some((name) => env[name])
}

/** Tests the sign-in of an agent, or looks up the given token. Reads no secret. */
export async function checkVault(
  { tls, proxy }: AgentConfiguration,
  env: Variables,
  signal: AbortSignal,
): Promise<Finding> {
  const warnings: string[] = []
  try {
    const settings = readVaultSettings(env, (text) => warnings.push(text))
    const vault = new Vault(settings, { env, skipVerify: tls.skipVerify, findProxy: () => proxy })
    const found = await trySignIn(vault, signal)
    return warnings.length === 0 ? ok(found) : warning(found, warnings.join('\n'))
  } catch (error) {
    if (error instanceof SetUpError) return broken(`Vault cannot be used: ${error.message}`, SET_UP)
    if (!(error instanceof VaultError)) throw error
    return broken(`Vault cannot be used: ${error.message}`, advice(error.message))
  }
}

async function trySignIn(vault: Vault, signal: AbortSignal): Promise<string> {
  const token = await vault.token(signal)
  if (vault.method !== undefined) return `Vault answers and accepts the login by ${vault.method}`
  await vault.lookUp(token, signal)
  return 'Vault answers and accepts the token'
}

const SET_UP = 'Set the variables that docs/policies-and-secrets.md lists'

function advice(reason: string): string {
  if (reason.includes('status=403'))
    return 'Renew an expired token, or allow auth/token/lookup-self for the token (as the policy "default" does)'
  if (reason.includes('status=4'))
    return 'Vault refuses the login: check the role and the secret id, or the JWT'
  return 'Check VAULT_ADDR, VAULT_CACERT and the network. Until Vault answers, sessions with secrets of Vault are refused'
}
