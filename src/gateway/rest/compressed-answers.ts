import { gzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import pLimit from 'p-limit'

/** Smaller answers fit into one packet anyway. */
const MIN_COMPRESSED_BYTES = 1024
/** A thread of the pool needs some 30 ms for an answer of this size. Larger ones are sent as they are. */
const MAX_COMPRESSED_BYTES = 2 * 1024 * 1024
/** The pool has four threads, and lookups of names and files need some of them. */
const AT_ONCE = 2
/** Answers that wait for a thread, with 32 MiB at most. Further answers are sent as they are. */
const MAX_WAITING_ANSWERS = 16

/**
 * Compresses answers to reading requests of users. Register this before `boundUnreadAnswers`, which then counts
 * the bytes that wait for their reader.
 *
 * The length of a compressed answer tells whether two parts of it are alike (CRIME, BREACH). So an answer that
 * has a new token (POST) or repeats the caller's text (errors) is never compressed, and the browser sends its
 * cookie for no other site's request (`SameSite=Strict`). Streams are never compressed: each event has to arrive
 * at once.
 */
export function compressAnswers(app: FastifyInstance): void {
  const turns = pLimit(AT_ONCE)
  app.addHook('onSend', (request, reply, payload, done) => {
    if (!isCompressible(request, reply, payload)) return done(null, payload)
    void reply.header('vary', 'accept-encoding')
    if (!acceptsGzip(request.headers['accept-encoding'])) return done(null, payload)
    if (turns.pendingCount >= MAX_WAITING_ANSWERS) return done(null, payload)
    void turns(() => compressed(payload, reply)).then((bytes) => {
      if (bytes !== undefined) void reply.header('content-encoding', 'gzip')
      done(null, bytes ?? payload)
    })
  })
}

function isCompressible(request: FastifyRequest, reply: FastifyReply, payload: unknown): payload is string {
  const { method, user } = request as { method: string; user: FastifyRequest['user'] | undefined }
  if ((method !== 'GET' && method !== 'HEAD') || user === undefined || reply.statusCode !== 200) return false
  if (typeof payload !== 'string' || reply.hasHeader('content-encoding')) return false
  const bytes = Buffer.byteLength(payload)
  const type = String(reply.getHeader('content-type'))
  return bytes >= MIN_COMPRESSED_BYTES && bytes <= MAX_COMPRESSED_BYTES && type.startsWith('application/json')
}

/** Returns undefined where the answer has to be sent as it is. */
async function compressed(payload: string, { raw }: FastifyReply): Promise<Buffer | undefined> {
  if (raw.destroyed) return undefined
  return new Promise((resolve) => {
    gzip(payload, (error, bytes) => resolve(error === null ? bytes : undefined))
  })
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((one) => /^\s*(gzip|\*)\s*(;|$)/i.test(one) && !/;\s*q=0(\.0*)?\s*$/i.test(one))
}
