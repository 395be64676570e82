import { decodeUtf8, readAll, readSmallFile } from '../../basics/files/small-file.ts'
import { parsedJson } from '../../basics/text/json.ts'
import { findAccount, isToken, type Account } from '../../client/account/account.ts'
import { ApiError } from '../../client/rest/api-error.ts'
import { ask, type HttpAnswer } from '../../client/rest/http.ts'
import { streamBlocks } from '../../client/rest/session-stream.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import { clientFailure } from './report/failures.ts'

export interface McpFlags {
  readonly apiUrl: string
  readonly tokenFile: string
}

/** The gateway answers larger requests with 413, so this is only a bound of the memory. */
const MAX_LINE_BYTES = 2 * 1024 * 1024
const MAX_TOKEN_FILE_BYTES = 64 * 1024
/** A result has some 100 KiB; a list of tools has less. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** A call waits 45 s. */
const ANSWER_MS = 120_000
/** The gateway answers 20 calls of a token at once. */
const MAX_PENDING = 32
const META = 'io.modelcontextprotocol/'

type Message = Readonly<Record<string, unknown>>

/**
 * Passes messages of the Model Context Protocol from standard input to /mcp of a gateway, and the answers to standard
 * output. It takes only a token for mcp from a file: the sign-in of a person would give the agent all that the person
 * may do.
 */
export async function mcpCommand({ apiUrl, tokenFile }: McpFlags): Promise<number> {
  const account = accountOf(apiUrl, tokenFile)
  await checkToken(account)
  const pipe = new Pipe(account)
  await pipe.run(process.stdin)
  return exitCodes.done
}

/** The sign-in of `login` is not read. @throws Failure */
function accountOf(apiUrl: string, tokenFile: string): Account {
  const token = readToken(tokenFile)
  const { HOOP_GRPCURL: _, ...env } = process.env
  return findAccount({ env: { ...env, HOOP_APIURL: apiUrl, HOOP_TOKEN: token }, stored: undefined, file: '' })
}

function readToken(file: string): string {
  try {
    const token = decodeUtf8(readSmallFile(file, MAX_TOKEN_FILE_BYTES).bytes).trim()
    if (isToken(token)) return token
    throw new Error('has no token')
  } catch (error) {
    throw new Failure(
      `the file ${file} ${(error as Error).message}; make one with: runbook-agent token create --user MACHINE --name NAME --for mcp`,
      exitCodes.usage,
    )
  }
}

/** Fails at once with the gateway's reason, for a wrong token or a gateway without mcp. */
async function checkToken(account: Account): Promise<void> {
  const doing = `cannot use ${account.rest.url}/mcp`
  try {
    const answer = await ask(account, {
      method: 'POST',
      path: '/mcp',
      body: { jsonrpc: '2.0', id: 0, method: 'ping' },
    })
    const body = await readBody(answer)
    if (answer.status !== 200) throw new Failure(`${doing}: ${reasonIn(answer, body)}`, exitCodes.refused)
  } catch (error) {
    throw clientFailure(error, doing, account)
  }
}

class Pipe {
  readonly #account: Account
  /** Requests that have no answer yet, by their ids as JSON. */
  readonly #pending = new Map<string, AbortController>()
  #writing: Promise<unknown> = Promise.resolve()
  #wake: () => void = () => undefined

  constructor(account: Account) {
    this.#account = account
  }

  /** At the end of the input, calls end without an answer. Runs go on. */
  async run(input: AsyncIterable<Buffer>): Promise<void> {
    for await (const line of readLines(input)) {
      const message = parsedJson(line)
      if (typeof message !== 'object' || message === null || Array.isArray(message))
        this.#write(rpcError(null, -32700, 'the line is not one JSON object'))
      else await this.#take(message as Message)
    }
    for (const call of this.#pending.values()) call.abort()
    await this.#writing
  }

  async #take(message: Message): Promise<void> {
    const { id, method, params } = message
    if (method === 'notifications/cancelled') {
      const key = JSON.stringify((params as Message | undefined)?.['requestId'])
      return this.#pending.get(key)?.abort()
    }
    if (typeof method !== 'string' || id === undefined) return
    while (this.#pending.size >= MAX_PENDING) await new Promise<void>((resolve) => (this.#wake = resolve))
    const call = new AbortController()
    const key = JSON.stringify(id)
    this.#pending.set(key, call)
    void this.#forward(message, call.signal).finally(() => {
      this.#pending.delete(key)
      this.#wake()
    })
  }

  /** Never rejects. */
  async #forward(message: Message, signal: AbortSignal): Promise<void> {
    const id = message['id']
    try {
      const asked = { method: 'POST', path: '/mcp', body: message, answerMs: ANSWER_MS } as const
      const answer = await ask(this.#account, { ...asked, headers: headersOf(message), signal })
      if (answer.contentType.startsWith('text/event-stream')) {
        for await (const { data } of streamBlocks(answer.body))
          if (data !== undefined) this.#write(parsedJson(data))
        return
      }
      const body = await readBody(answer)
      const isAnswer = body !== undefined && 'jsonrpc' in body
      // A refusal that comes before the message is read has no id.
      if (isAnswer) this.#write({ ...body, id })
      else this.#write(rpcError(id, -32000, reasonIn(answer, body)))
    } catch (error) {
      if (signal.aborted) return
      const known = error instanceof ApiError ? error.message : 'the gateway has not answered'
      this.#write(rpcError(id, -32000, known))
    }
  }

  /** Answers go out one after the other, as fast as the client reads. */
  #write(message: unknown): void {
    const line = `${JSON.stringify(message)}\n`
    this.#writing = this.#writing.then(
      () => new Promise<void>((resolve) => void process.stdout.write(line, () => resolve())),
    )
  }
}

/** The headers that 2026-07-28 asks for repeat fields of the message. */
function headersOf({ method, params }: Message): Record<string, string> {
  const accept = { Accept: 'application/json, text/event-stream' }
  const { name, _meta: meta } = (params ?? {}) as { name?: unknown; _meta?: Message }
  const version = meta?.[`${META}protocolVersion`]
  if (typeof version !== 'string') return accept
  return {
    ...accept,
    'MCP-Protocol-Version': headerText(version),
    'Mcp-Method': headerText(String(method)),
    ...(typeof name === 'string' && { 'Mcp-Name': headerText(name) }),
  }
}

function headerText(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

async function readBody(answer: HttpAnswer): Promise<object | undefined> {
  const bytes = await readAll(
    answer.body,
    MAX_ANSWER_BYTES,
    () => new ApiError('no-gateway', 'the answer is too long'),
  )
  return parsedJson(bytes.toString('utf8')) as object | undefined
}

/** Our errors of REST have a message, and those of JSON-RPC an error with a message. */
function reasonIn({ status }: HttpAnswer, body: object | undefined): string {
  const { message, error } = (body ?? {}) as { message?: unknown; error?: { message?: unknown } }
  const reason = message ?? error?.message
  return typeof reason === 'string' ? reason : `the gateway has answered with status ${status}`
}

function rpcError(id: unknown, code: number, message: string): object {
  return { jsonrpc: '2.0', id: id ?? null, error: { code, message } }
}

/** @throws Failure for a line that is too long */
async function* readLines(input: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let rest = Buffer.alloc(0)
  for await (const piece of input) {
    rest = Buffer.concat([rest, piece])
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.subarray(0, end).toString('utf8').trim()
      rest = rest.subarray(end + 1)
      if (line !== '') yield line
    }
    if (rest.length > MAX_LINE_BYTES)
      throw new Failure('a line of the input has more than 2 MiB', exitCodes.usage)
  }
}
