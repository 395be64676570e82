import { decodeUtf8, FileRefused, readSmallFile } from '../../../basics/files/small-file.ts'
import { Secret } from '../../../basics/secret.ts'
import { SetUpError } from '../../../basics/set-up-error.ts'
import { decodeBase64 } from '../../../golang/text/base64.ts'
import { formatGoDuration, parseGoDuration } from '../../../golang/text/duration.ts'
import { goQuote } from '../../../golang/text/quote.ts'

/**
 * A token, or the login that is posted to `/v1/auth/PATH/login`. The login is made again each time, because
 * the file of a JWT may have changed.
 */
type VaultCredential =
  | { readonly kind: 'token'; readonly token: Secret }
  | {
      readonly kind: 'login'
      readonly method: LoginMethod
      readonly path: string
      readonly login: () => Login
    }

export type LoginMethod = 'approle' | 'kubernetes' | 'jwt'

export interface Login {
  readonly body: Readonly<Record<string, string>>
  /** The member of `body` that must stay secret. */
  readonly secret: Secret
}

export interface VaultSettings {
  /** The address of Vault, without a slash at the end. */
  readonly address: string
  readonly credential: VaultCredential
  /** Certificates in PEM. An empty text means the system's authorities. */
  readonly authority: string
  /** An empty text means no namespace. */
  readonly namespace: string
  readonly timeoutMs: number
}

/** Path of a service account's token in a pod. */
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'
const DEFAULT_TIMEOUT_MS = 5000
const MIN_TIMEOUT_MS = 1000
const MAX_FILE_BYTES = 1024 * 1024

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Reads Vault's settings from the agent's environment (protocol.md 6).
 * @param warn gets warnings about ignored settings
 * @throws SetUpError
 */
export function readVaultSettings(env: Variables, warn: (message: string) => void): VaultSettings {
  const authority = loaded(env, 'VAULT_CACERT')
  const credential = credentialOf(env, loaded(env, 'VAULT_TOKEN'))
  return {
    address: (env['VAULT_ADDR'] ?? '').replace(/\/$/, ''),
    credential,
    authority,
    namespace: env['VAULT_NAMESPACE'] ?? '',
    timeoutMs: timeoutOf(env['VAULT_HTTP_REQ_TIMEOUT'] ?? '', warn),
  }
}

function credentialOf(env: Variables, token: string): VaultCredential {
  const { VAULT_AUTH_METHOD: method = '', VAULT_ADDR: address = '' } = env
  if (method !== '') return jwtLogin(method, env)
  const appRole = appRoleLogin(env)
  if (appRole !== undefined) return appRole
  if (token === '' || address === '') throw new SetUpError('VAULT_TOKEN and/or VAULT_ADDR env not set')
  return { kind: 'token', token: new Secret(token) }
}

/** As in hoop, the address is not checked here. With a wrong address, the login fails. */
function appRoleLogin({
  VAULT_APP_ROLE_ID: id = '',
  VAULT_APP_ROLE_SECRET_ID: secretId = '',
}: Variables): VaultCredential | undefined {
  if (id === '' && secretId === '') return undefined
  if (secretId === '') throw half('VAULT_APP_ROLE_ID', 'VAULT_APP_ROLE_SECRET_ID')
  if (id === '') throw half('VAULT_APP_ROLE_SECRET_ID', 'VAULT_APP_ROLE_ID')
  const login = { body: { role_id: id, secret_id: secretId }, secret: new Secret(secretId) }
  return { kind: 'login', method: 'approle', path: 'approle', login: () => login }
}

function half(set: string, empty: string): SetUpError {
  return new SetUpError(`${set} env is set but ${empty} env is empty`)
}

/**
 * Returns the login by JWT, which hoop does not have. Both methods post a role and a JWT. The JWT is read
 * again at every login.
 */
function jwtLogin(method: string, env: Variables): VaultCredential {
  if (method !== 'kubernetes' && method !== 'jwt')
    throw new SetUpError('VAULT_AUTH_METHOD is neither kubernetes nor jwt')
  const { VAULT_ADDR: address = '', VAULT_ROLE: role = '', VAULT_AUTH_PATH: path = '' } = env
  const { VAULT_JWT_FILE: file = method === 'kubernetes' ? SERVICE_ACCOUNT_TOKEN : '' } = env
  const missing = Object.entries({ VAULT_ADDR: address, VAULT_ROLE: role, VAULT_JWT_FILE: file })
    .filter(([, value]) => value === '')
    .map(([name]) => name)
  if (missing.length > 0)
    throw new SetUpError(`VAULT_AUTH_METHOD env is ${method} but ${missing.join(' and ')} env not set`)
  const login = () => {
    const jwt = fileText(file, 'VAULT_JWT_FILE').trim()
    return { body: { role, jwt }, secret: new Secret(jwt) }
  }
  return { kind: 'login', method, path: (path || method).replaceAll(/^\/|\/$/g, ''), login }
}

function timeoutOf(text: string, warn: (message: string) => void): number {
  if (text === '') return DEFAULT_TIMEOUT_MS
  const ms = parseGoDuration(text)
  if (ms !== undefined && ms > MIN_TIMEOUT_MS) return ms
  const fault = ms === undefined ? 'is not a duration (1500ms, 10s)' : 'is too low (<=1s)'
  warn(
    `VAULT_HTTP_REQ_TIMEOUT=${goQuote(text)} ${fault}, using default ${formatGoDuration(DEFAULT_TIMEOUT_MS)}`,
  )
  return DEFAULT_TIMEOUT_MS
}

/**
 * Reads a variable. Its value is plain text, `base64://` with encoded text, or `file://` with a path.
 * @throws SetUpError
 */
function loaded(env: Variables, name: string): string {
  const value = env[name] ?? ''
  try {
    if (value.startsWith('file://')) return fileText(value.slice('file://'.length), name)
    if (!value.startsWith('base64://')) return value
  } catch (error) {
    throw new SetUpError(`unable to load ${name} env, reason=${(error as Error).message}`)
  }
  const { bytes, problem } = decodeBase64(value.slice('base64://'.length))
  if (bytes === undefined) throw new SetUpError(`unable to load ${name} env, reason=${problem}`)
  return bytes.toString()
}

/**
 * Returns the text without its last line break, because a header may not contain a line break.
 * @throws SetUpError
 */
function fileText(path: string, name: string): string {
  try {
    return decodeUtf8(readSmallFile(path, MAX_FILE_BYTES).bytes).replace(/\r?\n$/, '')
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    if (error.isMissing) throw new SetUpError(`open ${path}: no such file or directory`)
    throw new SetUpError(`the file of ${name}, ${path}, ${error.message}`)
  }
}
