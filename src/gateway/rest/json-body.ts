import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HttpError } from './http-error.ts'

/** More than the lists and maps of a body may have together, each with its own limit. */
const MAX_ELEMENTS = 100_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** `,`, `[` and `{`: each begins an element. */
const BEGINNINGS = new Set([0x2c, 0x5b, 0x7b])

/**
 * Refuses bodies of very many elements before they are parsed: 16 MiB of small ones take the only thread that all
 * callers share for seconds, and the limits of single fields come later.
 */
export function parseJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  const byBuffer = { parseAs: 'buffer' } as const
  app.addContentTypeParser('application/json', byBuffer, (request: FastifyRequest, body, done) => {
    if (!hasMoreElements(body as Buffer, MAX_ELEMENTS)) return parse(request, body.toString(), done)
    done(new HttpError(422, `request body: must not have more than ${MAX_ELEMENTS} elements`))
  })
}

/** Also of bytes that are no JSON. */
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
