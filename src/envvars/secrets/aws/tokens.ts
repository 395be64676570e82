import { createHash, createHmac } from 'node:crypto'
import { patience } from '../../../basics/abort.ts'
import { SetUpError } from '../../../basics/set-up-error.ts'
import { EnvvarError } from '../../errors.ts'
import { aborted, goAwsError, loadAws, shownAwsText, textOf } from './secrets-manager.ts'

/** Time in milliseconds to make a token, including the time to assume a role. */
const EKS_MS = 10_000
/** Time in milliseconds to make a token, as in hoop. */
const RDS_MS = 3000
/**
 * Lifetime in the signed request, in seconds. EKS ignores this lifetime and accepts a token for 15 minutes.
 */
const EKS_TOKEN_SECONDS = 60

interface EksCluster {
  readonly cluster: string
  readonly region: string
  /** The role to assume before the token is made. Empty for no role. */
  readonly roleArn: string
  readonly roleSession: string
}

export interface RdsServer {
  readonly hostname: string
  readonly port: number
  readonly region: string
  readonly user: string
}

/**
 * Makes a token for a cluster. The token is a signed request that asks AWS for the caller's identity. The
 * cluster sends this request to AWS.
 * @throws EnvvarError, or the signal's reason
 */
export async function eksToken(
  { cluster, region, ...role }: EksCluster,
  signal: AbortSignal,
  limitMs = EKS_MS,
): Promise<string> {
  return await within(limitMs, signal, 'failed to generate eks token: ', async () => {
    const { SignatureV4 } = await loadAws(() => import('@smithy/signature-v4'))
    const credentials = await credentialsFor(region, role)
    const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 })
    const host = `sts.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`
    const signed = await signer.presign(
      {
        method: 'GET',
        protocol: 'https:',
        hostname: host,
        path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { host, 'x-k8s-aws-id': cluster },
      },
      { expiresIn: EKS_TOKEN_SECONDS, unhoistableHeaders: new Set(['x-k8s-aws-id']) },
    )
    const url = `https://${host}/?${queryOf(signed.query ?? {})}`
    return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`
  })
}

/**
 * Returns a password that is valid for 15 minutes.
 * @throws EnvvarError, or the signal's reason
 */
export async function rdsToken(
  { hostname, port, region, user }: RdsServer,
  signal: AbortSignal,
  limitMs = RDS_MS,
): Promise<string> {
  return await within(limitMs, signal, 'failed generating aws rds auth token, err=', async () => {
    const { Signer } = await loadAws(() => import('@aws-sdk/rds-signer'))
    return await new Signer({ hostname, port, region, username: user }).getAuthToken()
  })
}

async function credentialsFor(
  region: string,
  { roleArn, roleSession }: Pick<EksCluster, 'roleArn' | 'roleSession'>,
) {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await loadAws(
    () => import('@aws-sdk/credential-providers'),
  )
  if (roleArn === '') return fromNodeProviderChain()
  const params = { RoleArn: roleArn, ...(roleSession !== '' && { RoleSessionName: roleSession }) }
  return fromTemporaryCredentials({ params, clientConfig: { region, maxAttempts: 1 } })
}

async function within(
  ms: number,
  signal: AbortSignal,
  prefix: string,
  work: () => Promise<string>,
): Promise<string> {
  const ends = patience(ms, signal)
  try {
    return await Promise.race([work(), aborted(ends)])
  } catch (error) {
    signal.throwIfAborted()
    throw new EnvvarError(`${prefix}${reasonOf(error as Error, ends, ms)}`)
  }
}

function reasonOf(error: Error, ends: AbortSignal, ms: number): string {
  if (ends.aborted) return `no credentials within ${ms / 1000} s`
  if (error instanceof SetUpError || !('$metadata' in error)) return shownAwsText(textOf(error))
  return goAwsError(error, 'STS: AssumeRole')
}

function queryOf(query: Readonly<Record<string, string | readonly string[] | null>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`)
  return pairs.sort().join('&')
}

function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** The hash that the signer needs: SHA-256, or HMAC if there is a key. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(key))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  /** Never called, because the signer makes a new hash for each text. */
  reset(): void {
    throw new Error('a hash is used once')
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
