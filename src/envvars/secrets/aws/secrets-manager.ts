import { pipeline, Transform, type Readable } from 'node:stream'
import type { Logger } from '../../../basics/logger.ts'
import { patience } from '../../../basics/patience.ts'
import type { FetchSecret, SecretStore, StoredSecret } from '../stores.ts'
import { awsLogger, loadAws, aborted } from './packages.ts'
import { goAwsError } from './go-error.ts'
import { membersOf } from './secret-string.ts'

/** For one secret with its three attempts, and the credentials before it. */
const SECRET_MS = 15_000
/** A secret has 64 KiB at most. */
const LONGEST_ANSWER = 1024 * 1024
const OPERATION = 'Secrets Manager: GetSecretValue'

type Variables = Readonly<Record<string, string | undefined>>

/** Secrets of AWS Secrets Manager, with the credentials that the agent itself has. */
export class SecretsManagerStore implements SecretStore {
  readonly name = 'aws'
  readonly #env: Variables
  readonly #log: Pick<Logger, 'warn'>
  readonly #limitMs: number

  constructor(env: Variables, log: Pick<Logger, 'warn'>, limitMs = SECRET_MS) {
    this.#env = env
    this.#log = log
    this.#limitMs = limitMs
  }

  async open(): Promise<FetchSecret> {
    const { SecretsManagerClient, GetSecretValueCommand } = await loadAws(
      () => import('@aws-sdk/client-secrets-manager'),
    )
    const { fromNodeProviderChain } = await loadAws(() => import('@aws-sdk/credential-providers'))
    const logger = awsLogger(this.#log)
    const region = regionOf(this.#env)
    const settings = {
      logger,
      credentials: fromNodeProviderChain({ logger }),
      ...(region !== undefined && { region }),
    }
    return async (id, signal) => {
      const client = new SecretsManagerClient(settings)
      client.middlewareStack.add(bounded, { step: 'deserialize', priority: 'low' })
      try {
        const ask = (abortSignal: AbortSignal) =>
          client.send(new GetSecretValueCommand({ SecretId: id }), { abortSignal })
        return await answered(ask, id, signal, this.#limitMs)
      } finally {
        client.destroy()
      }
    }
  }
}

/** AWS_DEFAULT_REGION is Go's and Python's; these packages know AWS_REGION and the settings file of AWS. */
function regionOf({ AWS_REGION, AWS_DEFAULT_REGION }: Variables): string | undefined {
  return [AWS_REGION, AWS_DEFAULT_REGION].find(Boolean)
}

async function answered(
  ask: (ends: AbortSignal) => Promise<{ readonly SecretString?: string | undefined }>,
  id: string,
  signal: AbortSignal,
  limitMs: number,
): Promise<StoredSecret> {
  const ends = patience(limitMs, signal)
  try {
    // Credentials are looked for without heeding the signal.
    const { SecretString } = await Promise.race([ask(ends), aborted(ends)])
    return membersOf(SecretString)
  } catch (error) {
    signal.throwIfAborted()
    if (ends.aborted)
      return { problem: `(${id}) operation error ${OPERATION}, request timeout (${limitMs / 1000}s)` }
    return { problem: `(${id}) ${goAwsError(error as Error, OPERATION)}` }
  }
}

/** The packages read an answer whole, however long it is. */
function bounded<Asked, Answer extends { response: unknown }>(
  next: (asked: Asked) => Promise<Answer>,
): (asked: Asked) => Promise<Answer> {
  return async (asked) => {
    const answer = await next(asked)
    const response = answer.response as { body?: Readable }
    if (response.body !== undefined) response.body = cutOff(response.body)
    return answer
  }
}

function cutOff(body: Readable): Readable {
  let length = 0
  const limit = new Transform({
    transform(piece: Buffer, _encoding, done) {
      length += piece.length
      if (length > LONGEST_ANSWER) done(new Error(`the answer is longer than ${LONGEST_ANSWER} bytes`))
      else done(null, piece)
    },
  })
  // The reader of the body is told of an error.
  return pipeline(body, limit, () => undefined)
}
