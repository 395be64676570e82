import { randomUUID } from 'node:crypto'
import { pipeline, type Readable, Transform } from 'node:stream'
import { onAbort, patience } from '../../../basics/abort.ts'
import type { Logger } from '../../../basics/logger.ts'
import { goDialError } from '../../../basics/net/go-errors.ts'
import { SetUpError } from '../../../basics/set-up-error.ts'
import { oneLine } from '../../../basics/text/printable.ts'
import { isJsonObject, jsonKind, parseJson } from '../../../golang/text/json.ts'
import { type FetchSecret, type SecretStore, type StoredSecret } from '../stores.ts'

/**
 * Loads packages of AWS, which an installation may leave out.
 * @throws SetUpError if they are not installed
 */
export async function loadAws<Package>(load: () => Promise<Package>): Promise<Package> {
  // Without this variable, the packages would print a warning about future versions of Node to stderr, not to
  // the log.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // There are two codes, because the built program uses `require` and the source uses `import`.
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw error
    const name = /'(@[^/']+\/[^/']+)/.exec(message)?.[1] ?? '@aws-sdk'
    throw new SetUpError(
      `the package ${name} is not installed: reinstall runbook-agent with its optional packages`,
    )
  }
}

/** Logs only the packages' warnings, because their other lines may contain requests and answers. */
function awsLogger(log: Pick<Logger, 'warn'>) {
  const nothing = () => undefined
  const warn = (...content: unknown[]) => log.warn({}, oneLine(content.map(String).join(' ')))
  return { trace: nothing, debug: nothing, info: nothing, warn, error: nothing }
}

/**
 * Never resolves, and rejects with the signal's reason. Use it in a race with work that ignores the signal.
 */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    onAbort(signal, () => reject(signal.reason as Error))
  })
}

interface AwsError extends NodeJS.ErrnoException {
  readonly $metadata?: {
    readonly httpStatusCode?: number
    readonly requestId?: string
    readonly attempts?: number
  }
  readonly address?: string
  readonly port?: number
}

/** The packages give up after this number of attempts. */
const MAX_ATTEMPTS = 3

/** Errors that have a type of their own in Go. Go prints all other errors as `api error NAME`. */
const MODELED = new Set([
  ...['DecryptionFailure', 'InternalServiceError', 'InvalidParameterException', 'InvalidRequestException'],
  'ResourceNotFoundException',
])

/** Maximum length of an error's text in characters. The text may come from a server. */
const SHOWN_CHARACTERS = 4096

/** Returns the text of a failed request in the words of Go's packages. */
export function goAwsError(error: Error, operation: string): string {
  return shownAwsText(wordsFor(error, operation))
}

/**
 * Hides the session's token. If AWS refuses a signature, the error quotes the signed text, which contains
 * this token.
 */
export function shownAwsText(text: string): string {
  return text
    .replaceAll(/(x-amz-security-token\W{1,3})[\w+/=%-]+/gi, '$1[REDACTED]')
    .slice(0, SHOWN_CHARACTERS)
}

/**
 * Returns the error's text. An error of JSON.parse gets another text, because it quotes a part of the answer,
 * which may be the secret.
 */
export function textOf(error: Error): string {
  return error instanceof SyntaxError ? 'the answer is not valid JSON' : error.message
}

function wordsFor(error: Error, operation: string): string {
  const { $metadata: { httpStatusCode: status, requestId = '', attempts } = {}, name } = error as AwsError
  const message = textOf(error)
  if (name === 'CredentialsProviderError')
    return `operation error ${operation}, get identity: get credentials: ${message}`
  if (message === 'Region is missing')
    return `operation error ${operation}, failed to resolve service endpoint, Missing Region: set AWS_REGION`
  const gaveUp = attempts === MAX_ATTEMPTS ? `exceeded maximum number of attempts, ${attempts}, ` : ''
  const response = `${gaveUp}https response error StatusCode: ${status ?? 0}, RequestID: ${requestId}, `
  if (status === undefined)
    return `operation error ${operation}, ${response}request send failed, ${unsent(error)}`
  const kind = MODELED.has(name) ? name : `api error ${name}`
  return `operation error ${operation}, ${response}${kind}: ${message}`
}

function unsent(error: AwsError): string {
  const { code, address, port, syscall } = error
  const isDial = syscall === 'connect' || syscall === 'getaddrinfo'
  if (!isDial) return code === 'ECONNRESET' ? 'connection reset by peer' : textOf(error)
  const { hostname = '' } = error as { readonly hostname?: string }
  return goDialError(error, { host: address ?? hostname, port: port ?? 0 })
}

/** Matches a text in quotes, or a number outside of quotes. */
const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/**
 * Returns the members of a JSON object as texts. A number keeps its written form (5432,
 * 12345678901234567890), although hoop prints 1000000 as 1e+06. Null becomes the empty text. Any other member
 * that is not a string becomes JSON.
 */
export function membersOf(secret: string | undefined): StoredSecret {
  if (secret === undefined) return undeserialized('the secret is binary, a JSON object is needed')
  const { value, problem } = parseJson(secret)
  // Go has two error texts: one for the end of a whole text, and one for the end of a stream.
  if (problem !== undefined)
    return undeserialized(problem.endsWith('EOF') ? 'unexpected end of JSON input' : problem)
  if (value === null) return { members: new Map() }
  if (!isJsonObject(value))
    return undeserialized(
      `json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`,
    )
  return { members: withNumbersAsWritten(secret) }
}

function undeserialized(reason: string): StoredSecret {
  return { problem: `failed deserializing secret key/val, err=${reason}` }
}

/**
 * Parses the secret, but keeps numbers as they are written. JSON.parse would round numbers, so they are first
 * changed into texts with a unique mark.
 */
function withNumbersAsWritten(secret: string): ReadonlyMap<string, string> {
  const mark = randomUUID()
  const marked = secret.replaceAll(TEXT_OR_NUMBER, (found) =>
    found.startsWith('"') ? found : `"${mark}${found}"`,
  )
  const number = new RegExp(`"${mark}([^"]*)"`, 'g')
  const members = JSON.parse(marked) as Readonly<Record<string, unknown>>
  return new Map(
    Object.entries(members).map(([name, value]) => {
      if (value === null) return [name, '']
      if (typeof value === 'string' && !value.startsWith(mark)) return [name, value]
      return [name, JSON.stringify(value).replaceAll(number, '$1')]
    }),
  )
}

/** Time in milliseconds to find credentials and to fetch one secret. It includes up to three attempts. */
const SECRET_MS = 15_000
/** Maximum size of an answer in bytes. A secret has at most 64 KiB. */
const MAX_ANSWER_BYTES = 1024 * 1024
const OPERATION = 'Secrets Manager: GetSecretValue'

type Variables = Readonly<Record<string, string | undefined>>

/** Fetches secrets of AWS Secrets Manager with the agent's own credentials. */
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

/**
 * Reads the region also from AWS_DEFAULT_REGION, which programs in Go and Python use. The packages read only
 * AWS_REGION and AWS's settings file.
 */
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
    // The search for credentials ignores the signal, so the signal needs this race.
    const { SecretString } = await Promise.race([ask(ends), aborted(ends)])
    return membersOf(SecretString)
  } catch (error) {
    signal.throwIfAborted()
    if (ends.aborted)
      return { problem: `(${id}) operation error ${OPERATION}, request timeout (${limitMs / 1000}s)` }
    return { problem: `(${id}) ${goAwsError(error as Error, OPERATION)}` }
  }
}

/** Limits the length of an answer, because the packages would read an answer of any length. */
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
      if (length > MAX_ANSWER_BYTES) done(new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`))
      else done(null, piece)
    },
  })
  // The callback ignores the error, because the reader of the body receives it.
  return pipeline(body, limit, () => undefined)
}
