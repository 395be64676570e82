import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream'
import { finished as ended } from 'node:stream/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as v from 'valibot'
import { Turns } from '../../basics/turns.ts'
import { within } from '../../basics/abort.ts'
import type { GatewayUser } from '../identity.ts'
import { refused, type RequestRefused } from '../refusals/request-refused.ts'
import type { Current } from '../settings/settings.ts'

/** Largest value of `limits.body`. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024

/** Most elements in all lists and maps of a body together. Each list also has its own limit. */
const MAX_ELEMENTS = 100_000

/** Longest time that an answer waits for a body that is not used. */
const BODY_MS = 1_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** `,`, `[` and `{` each begin an element. */
const BEGINNINGS = new Set([0x2c, 0x5b, 0x7b])

/**
 * Parses bodies as JSON. A body with too many elements is refused before it is parsed, because 16 MiB of
 * small elements would block the only thread for seconds. The limits of fields apply only after parsing.
 */
export function parseJsonBodies(app: FastifyInstance, settings: Current<'limits'>): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addHook('preParsing', (request, reply, _, done) => {
    const length = Number(request.headers['content-length'] ?? 0)
    if (length <= settings.value.limits.bodyBytes) return done()
    // The connection closes after the answer, because the rest of the body is not read.
    void reply.header('connection', 'close')
    done(tooLarge())
  })
  // The content type is ignored, as in hoop's gateway.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request: FastifyRequest, body, done) => {
    if (body.length === 0) return done(null)
    if (body.length > settings.value.limits.bodyBytes) return done(tooLarge())
    if (hasMoreElements(body as Buffer, MAX_ELEMENTS))
      return done(refused('too-large/elements', { most: MAX_ELEMENTS }))
    return parse(request, body.toString(), (error, value) => done(error && notJson(error), value))
  })
}

function tooLarge(): RequestRefused {
  return refused('too-large/body')
}

/** Discards bodies of any type. */
export function passOverBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_, body, done) => {
    body.resume()
    done(null)
  })
  // fastify does not read the body of a GET or HEAD request. Node closes a connection with an unread body,
  // and the client would lose the rest of a long answer. Therefore the answer waits for the body, at most
  // `BODY_MS`. A refusal in an earlier hook does not wait.
  app.addHook('onRequest', (request, _, done) => {
    if (isUnparsed(request)) request.raw.resume()
    done()
  })
  app.addHook('onSend', (request, _, payload, done) => {
    const { raw } = request
    if (!isUnparsed(request) || raw.readableFlowing !== true) return done(null, payload)
    const read = new Promise<void>((resolve) => finished(raw, { writable: false }, () => resolve()))
    void within(read, BODY_MS).then(() => done(null, payload))
  })
}

function isUnparsed({ method, headers }: FastifyRequest): boolean {
  const isSent = (headers['content-length'] ?? headers['transfer-encoding']) !== undefined
  return (method === 'GET' || method === 'HEAD') && isSent
}

/** Replaces the parser's message, because that message mentions content types and may quote the body. */
function notJson(error: Error): RequestRefused {
  const isName = error.message.includes('prototype')
  const what = isName ? 'has a forbidden name in it' : 'is not valid JSON'
  return refused('invalid-request/body', { problem: what })
}

/** Tells whether the JSON text has more than `most` elements. The bytes need not be valid JSON. */
export function hasMoreElements(json: Buffer, most: number): boolean {
  let elements = 0
  let isText = false
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0
    if (byte === QUOTE) isText = !isText
    else if (isText && byte === BACKSLASH) at += 1
    else if (!isText && BEGINNINGS.has(byte) && (elements += 1) > most) return true
  }
  return false
}

/** Large bodies of one user that are read at the same time. A body may have 16 MiB and take five minutes. */
const LARGE_BODIES = 4
/** Bodies above this size take turns. Most requests have smaller bodies. */
const LARGE_BYTES = 64 * 1024

/**
 * Reads the large bodies of a user in turns. Otherwise, one user could fill the memory with many slow bodies.
 */
export function readBodiesInTurns(app: FastifyInstance): void {
  const turns = new Turns(LARGE_BODIES)
  app.addHook('preParsing', async (request, { raw: answer }) => {
    const { raw, user } = request as { raw: IncomingMessage; user: GatewayUser | undefined }
    // A request without a user is a sign-in, whose body has at most 8 KiB.
    if (user === undefined || !isLarge(raw)) return
    await new Promise<void>((resolve) => {
      void turns.run(user.name, () => {
        resolve()
        return read(raw, answer)
      })
    })
  })
}

function isLarge({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > LARGE_BYTES
}

/**
 * Waits for the end of the body or of the answer. After the end of the answer, Node does not report the end
 * of the body.
 */
async function read(raw: IncomingMessage, answer: ServerResponse): Promise<void> {
  await Promise.race([ended(raw), ended(answer)]).catch(() => undefined)
}

/**
 * @param statuses fields that hoop's gateway refuses with another status than 400
 * @throws RequestRefused 400 with the first wrong field and the expected value
 */
export function readExecBody<Schema extends v.GenericSchema>(
  schema: Schema,
  body: unknown,
  statuses: Readonly<Record<string, 422>> = {},
): v.InferOutput<Schema> {
  if (Array.isArray(body)) throw refused('invalid-request/body-not-object')
  const result = v.safeParse(schema, body, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const field = v.getDotPath(issue) ?? 'request body'
  const isText = typeof issue.input === 'string' && issue.input !== ''
  const row = isText && field in statuses ? 'invalid-request/field-422' : 'invalid-request/field'
  throw refused(row, { problem: problem(field, issue) })
}

function problem(field: string, issue: v.BaseIssue<unknown>): string {
  return issue.received === 'undefined' ? `${field}: is required` : `${field}: ${issue.message}`
}
