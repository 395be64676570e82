import { oneLine } from '../../basics/text/printable.ts'
import { isDeeper } from '../executions/limits.ts'

// JSON-RPC and the headers of the Model Context Protocol: 2026-07-28 ("modern"), and the versions of 2025, in which a
// client begins with `initialize`. Nothing is kept between two requests.

const MODERN = '2026-07-28'
const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26'] as const
const META = 'io.modelcontextprotocol/'
const MAX_TOKEN_CHARACTERS = 1000
const MAX_CLAIM_CHARACTERS = 100
const MAX_LEVELS = 50

export type Fields = Readonly<Record<string, unknown>>
type Headers = Readonly<Record<string, string | string[] | undefined>>

interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: object
}

/** An answer as HTTP has it. 202 has no body. */
export interface McpAnswer {
  readonly status: number
  readonly body?: object
}

type RequestId = string | number

export interface RpcRequest {
  readonly id: RequestId
  readonly method: string
  readonly params: Fields
  readonly isModern: boolean
  /** Sent back with each report of progress. Undefined if the client wants none. */
  readonly progressToken: RequestId | undefined
  /** What the client says that it is. */
  readonly claim: string
}

/** The request is wrong, in a way that a program and not a model has to correct. */
export class RpcRefused extends Error {
  readonly status: number
  readonly rpc: RpcError

  constructor(status: number, code: number, message: string, data?: object) {
    super(message)
    this.status = status
    this.rpc = { code, message, ...(data !== undefined && { data }) }
  }
}

export function errorAnswer(id: RequestId | null, { status, rpc }: RpcRefused): McpAnswer {
  return { status, body: { jsonrpc: '2.0', id, error: rpc } }
}

/** @returns the id of a message as far as it can be read */
export function idOf(body: unknown): RequestId | null {
  const id = isFields(body) ? body['id'] : undefined
  return isId(id) ? id : null
}

function isId(id: unknown): id is RequestId {
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id))
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])

/**
 * @returns undefined for a notification or a response, which need no answer
 * @throws RpcRefused
 */
export function readRequest(body: unknown, headers: Headers): RpcRequest | undefined {
  if (!isFields(body) || body['jsonrpc'] !== '2.0' || Object.keys(body).some((name) => !MEMBERS.has(name)))
    throw invalid('the body is not one JSON-RPC message (a batch is not served)')
  // Some functions of JavaScript call themselves for each level.
  if (isDeeper(body, MAX_LEVELS)) throw invalid(`the message has more than ${MAX_LEVELS} levels`)
  const { id, method } = body
  if (method === undefined && isId(id) && ('result' in body || 'error' in body)) return undefined
  if (typeof method !== 'string') throw invalid('the message has no method')
  if (!('id' in body)) return undefined
  if (!isId(id)) throw invalid('id: must be a text or a whole number')
  const params = body['params'] ?? {}
  if (!isFields(params)) throw new RpcRefused(400, -32602, 'params: must be an object')
  const meta = isFields(params['_meta']) ? params['_meta'] : {}
  const isModern = checkEra(meta, method, params, headers)
  const token = meta['progressToken']
  return {
    ...{ id, method, params, isModern },
    progressToken: isId(token) && String(token).length <= MAX_TOKEN_CHARACTERS ? token : undefined,
    claim: claimOf(meta[`${META}clientInfo`], headers['user-agent']),
  }
}

function invalid(message: string): RpcRefused {
  return new RpcRefused(400, -32600, `Bad Request: ${message}`)
}

/** @returns whether the request is of 2026-07-28 @throws RpcRefused */
function checkEra(meta: Fields, method: string, params: Fields, headers: Headers): boolean {
  const asked = meta[`${META}protocolVersion`]
  const header = headers['mcp-protocol-version']
  if (asked === undefined && header !== MODERN) {
    if (method !== 'initialize' && header !== undefined && !LEGACY.some((version) => version === header))
      throw new RpcRefused(400, -32000, `Bad Request: MCP-Protocol-Version: use one of ${LEGACY.join(', ')}`)
    return false
  }
  if (typeof asked !== 'string' || !isFields(meta[`${META}clientCapabilities`]))
    throw new RpcRefused(
      400,
      -32602,
      'Bad Request: params._meta: protocolVersion or clientCapabilities is missing',
    )
  checkHeader('MCP-Protocol-Version', header, asked)
  if (asked !== MODERN)
    throw new RpcRefused(400, -32022, 'Unsupported protocol version', {
      supported: [MODERN],
      requested: asked,
    })
  checkHeader('Mcp-Method', headers['mcp-method'], method)
  if (method === 'tools/call') checkHeader('Mcp-Name', headers['mcp-name'], params['name'])
  return true
}

function checkHeader(name: string, header: string | string[] | undefined, body: unknown): void {
  if (typeof header === 'string' && decoded(header) === body) return
  const mismatch = { header: header ?? '(missing)', body: typeof body === 'string' ? body : typeof body }
  throw new RpcRefused(400, -32020, `Bad Request: the header ${name} and the body disagree`, { mismatch })
}

/** A text that is not ASCII comes as `=?base64?...?=`. */
function decoded(header: string): string {
  const [, base64] = /^=\?base64\?([A-Za-z0-9+/=]*)\?=$/.exec(header) ?? []
  return base64 === undefined ? header : Buffer.from(base64, 'base64').toString('utf8')
}

function claimOf(info: unknown, agent: string | string[] | undefined): string {
  const { name, version } = isFields(info) ? info : {}
  const said = [name, version].filter((part) => typeof part === 'string').join(' ')
  const text = said !== '' ? said : typeof agent === 'string' ? agent : ''
  return oneLine(text).slice(0, MAX_CLAIM_CHARACTERS).toWellFormed()
}

/** The version that the gateway speaks with a client of 2025. */
export function legacyVersion(asked: unknown): string {
  return LEGACY.find((version) => version === asked) ?? LEGACY[0]
}

export const SUPPORTED = [MODERN]

/** How long a client may keep the list of tools. */
const LIST_TTL_MS = 30_000

/** @param server name and version of this program */
export function resultAnswer(
  { id, method, isModern }: RpcRequest,
  result: object,
  server: object,
): McpAnswer {
  if (!isModern) return { status: 200, body: { jsonrpc: '2.0', id, result } }
  const cached = method === 'tools/call' ? {} : { ttlMs: LIST_TTL_MS, cacheScope: 'private' }
  const envelope = { resultType: 'complete', ...cached, _meta: { [`${META}serverInfo`]: server } }
  return { status: 200, body: { jsonrpc: '2.0', id, result: { ...result, ...envelope } } }
}

export function unknownMethod({ isModern }: RpcRequest): RpcRefused {
  return new RpcRefused(isModern ? 404 : 200, -32601, 'Method not found')
}

export function progressMessage(progressToken: RequestId, progress: number, message: string): object {
  return { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress, message } }
}
