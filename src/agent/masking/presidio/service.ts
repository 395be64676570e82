import { onAbort } from '../../../basics/abort.ts'
import { unescape } from 'node:querystring'
import type { SecureContext } from 'node:tls'
import { BrokenReply, exchange, type Reply } from '../../../basics/net/exchange.ts'
import { networkErrorCode } from '../../../basics/net/network-error.ts'

/** Longest time from the request to the last byte of its answer. */
const PATIENCE_MS = 5_000
/** A finding has some 150 bytes, and 64 KiB of text have 10,000 findings at most. */
const ANSWER_BYTES = 4 * 1024 * 1024

/** One of Presidio's two services. */
export interface PresidioService {
  readonly name: 'analyzer' | 'anonymizer'
  readonly url: URL
  readonly patienceMs: number
  /** For https: the authorities that Node knows, and those of NODE_EXTRA_CA_CERTS. */
  readonly context: SecureContext | undefined
}

/** A service did not do what it should. The message has nothing of texts, answers and passwords. */
export class PresidioError extends Error {
  override readonly name = 'PresidioError'

  constructor({ name, url }: PresidioService, what: string) {
    super(`Presidio's ${name} at ${url.origin} ${what}`)
  }
}

/** The service at this address; undefined when it is none. */
export function presidioService(
  name: PresidioService['name'],
  base: string,
  patienceMs = PATIENCE_MS,
): PresidioService | undefined {
  if (!/^https?:\/\//i.test(base) || !URL.canParse(base)) return undefined
  const url = new URL(base)
  const isSecure = url.protocol === 'https:'
  const context = isSecure ? process.getBuiltinModule('node:tls').createSecureContext() : undefined
  return { name, url, patienceMs, context }
}

/**
 * Sends JSON, and reads the JSON that comes back. Nothing is repeated, no redirect is followed.
 * @param ended ends the call in every state
 * @throws PresidioError
 */
export async function post(
  service: PresidioService,
  path: string,
  body: object,
  ended: AbortSignal,
): Promise<unknown> {
  const { body: answer } = await ask(service, path, { body: JSON.stringify(body), ended })
  try {
    return JSON.parse(answer.toString('utf8')) as unknown
  } catch {
    throw new PresidioError(service, 'gave an answer that is no JSON')
  }
}

/** Whether the service says that it is up. @throws PresidioError */
export async function askHealth(service: PresidioService): Promise<void> {
  await ask(service, '/health')
}

interface Asked {
  readonly body?: string
  readonly ended?: AbortSignal
}

/** Each call has a connection of its own: one that was kept may be closed when it is used. */
async function ask(service: PresidioService, path: string, { body, ended }: Asked = {}): Promise<Reply> {
  const { url, patienceMs, context } = service
  const patience = new AbortController()
  const giveUp = () => patience.abort()
  const timer = setTimeout(giveUp, patienceMs)
  using _ = ended && onAbort(ended, giveUp)
  try {
    const reply = await exchange({
      method: body === undefined ? 'GET' : 'POST',
      isSecure: context !== undefined,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || (context === undefined ? 80 : 443)),
      path: url.pathname.replace(/\/$/, '') + path,
      headers: headersFor(url, body),
      body,
      tls: context && { context, skipVerify: false },
      limit: ANSWER_BYTES,
      signal: patience.signal,
    })
    if (reply.status === 200) return reply
    throw new PresidioError(service, `answered with status ${reply.status}`)
  } catch (error) {
    throw error instanceof PresidioError
      ? error
      : new PresidioError(service, reasonOf(error, service, patience.signal))
  } finally {
    clearTimeout(timer)
  }
}

function headersFor({ username, password }: URL, body: string | undefined): Record<string, string> {
  const credentials = `${unescape(username)}:${unescape(password)}`
  return {
    Accept: 'application/json',
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
    ...(username !== '' && { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
  }
}

function reasonOf(error: unknown, { patienceMs }: PresidioService, patience: AbortSignal): string {
  if (patience.aborted) return `did not answer within ${patienceMs / 1000} s`
  if (!(error instanceof BrokenReply)) return `cannot be reached (${networkErrorCode(error) || 'no code'})`
  if (error.cause === undefined) return `gave an answer of more than ${ANSWER_BYTES / 1024 / 1024} MiB`
  return 'broke off its answer'
}
