import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { within } from '../../basics/abort.ts'
import { Turns } from '../../basics/turns.ts'
import type { GatewayUser } from '../identity.ts'
import { refused } from '../refusals/request-refused.ts'
import { auditedOf } from './audited-calls.ts'
import { TERMINAL } from './page/terminal.ts'
import { deferred } from '../../basics/deferred.ts'

export interface AnswerLimits {
  /** Reading requests of one user that are answered at the same time. */
  readonly places: number
  /** Longest wait for a place. */
  readonly placeMs: number
  /** Bytes of large answers that a user has not read yet. A user with more gets no further answers. */
  readonly userBytes: number
  /** The same for all users together. Users who have read all their answers are not refused. */
  readonly allBytes: number
  /** A reader who reads nothing for this time is cut off. */
  readonly pieceMs: number
  /** Longest time of a large answer, to which each of its pieces adds `eachMs`. */
  readonly answerMs: number
  readonly eachMs: number
}

const LIMITS: AnswerLimits = {
  places: 16,
  placeMs: 5_000,
  userBytes: 16 * 1024 * 1024,
  allBytes: 128 * 1024 * 1024,
  pieceMs: 60_000,
  answerMs: 5 * 60_000,
  eachMs: 1000,
}

/** Larger answers are sent in pieces of this size, and are counted until they are sent. */
const PIECE_BYTES = 64 * 1024
const SOON = { retryAfterSeconds: 5 }

/**
 * Bounds the memory of answers that clients ask for and do not read. All routes pass here, so that a new route
 * has the bound without doing anything for it. Streams have a bound of their own: they make the next piece
 * when the one before it is sent.
 */
export function boundUnreadAnswers(app: FastifyInstance, limits = LIMITS): void {
  const answers = new UnreadAnswers(limits)
  const loop = new LoopTurns()
  app.addHook('preHandler', async (request, reply) => {
    const { user } = request as { user: GatewayUser | undefined }
    const { method, routeOptions } = request
    // A terminal of the page is no answer: it lasts for hours.
    if (user === undefined || routeOptions.url === TERMINAL) return
    if (method === 'GET' || method === 'HEAD') {
      await answers.takePlace(user.name, reply)
      await loop.turn()
      // The client has gone. Its requests would make answers for nobody, before those that others wait for.
      if (reply.raw.destroyed) return reply.hijack()
    }
    // What takes something away, such as a token or a running session, is never refused.
    if (auditedOf(request)?.takesAway !== true) answers.checkRoom(user.name)
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    done(null, answers.send(request, reply, payload))
  })
}

/**
 * Begins one reading request in each turn of the event loop. Otherwise, an answer that goes into the system's
 * buffers at once frees its place, and the next request begins before the loop serves other connections: 300
 * requests that one client sent together kept all others waiting for 3 s.
 */
class LoopTurns {
  readonly #waiting: (() => void)[] = []
  #isTaken = false

  async turn(): Promise<void> {
    if (this.#isTaken) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#take()
  }

  #take(): void {
    this.#isTaken = true
    setImmediate(() => {
      this.#isTaken = false
      const begin = this.#waiting.shift()
      if (begin === undefined) return
      this.#take()
      begin()
    })
  }
}

class UnreadAnswers {
  readonly #limits: AnswerLimits
  readonly #turns: Turns
  /** Unread bytes of the users who have some. */
  readonly #ofUsers = new Map<string, number>()
  #ofAll = 0
  /** Frees the place of a reading request. */
  readonly #places = new WeakMap<FastifyReply, () => void>()

  constructor(limits: AnswerLimits) {
    this.#limits = limits
    this.#turns = new Turns(limits.places)
  }

  /**
   * Waits for a place, which the request has until its answer is sent, or turns out to be small or a stream.
   * The bytes of an answer are known only when it is made, so places bound how many are made at once.
   * @throws RequestRefused 429
   */
  async takePlace(user: string, reply: FastifyReply): Promise<void> {
    let isLate = false
    const given = deferred()
    const freed = deferred()
    const { raw } = reply
    void this.#turns.run(user, () => {
      given.resolve()
      return isLate || raw.destroyed ? Promise.resolve() : freed.promise
    })
    this.#places.set(reply, freed.resolve)
    raw.once('close', freed.resolve)
    if (await within(given.promise, this.#limits.placeMs)) return
    isLate = true
    throw refused('too-much-at-once/answers', { places: this.#limits.places }, SOON)
  }

  /** @throws RequestRefused 429 */
  checkRoom(user: string): void {
    const { userBytes, allBytes } = this.#limits
    const own = this.#ofUsers.get(user) ?? 0
    if (own >= userBytes || (own > 0 && this.#ofAll >= allBytes))
      throw refused('too-much-at-once/unread-answers', {}, SOON)
  }

  /** Returns the payload in the form in which it is sent. */
  send(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    const free = this.#places.get(reply)
    const size = sizeOf(payload)
    // The client may have gone while the answer was made.
    if (size <= PIECE_BYTES || request.method === 'HEAD' || reply.raw.destroyed) {
      free?.()
      return payload
    }
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(String(payload))
    const { user } = request as { user: GatewayUser | undefined }
    // All callers without a user get the same bytes.
    if (user !== undefined) this.#count(user.name, bytes.length, reply)
    void reply.header('content-length', bytes.length)
    return Readable.from(this.#pieces(bytes, reply), { objectMode: false, highWaterMark: PIECE_BYTES })
  }

  #count(user: string, bytes: number, { raw }: FastifyReply): void {
    this.#add(user, bytes)
    raw.once('close', () => this.#add(user, -bytes))
  }

  #add(user: string, bytes: number): void {
    this.#ofAll += bytes
    const own = (this.#ofUsers.get(user) ?? 0) + bytes
    if (own === 0) this.#ofUsers.delete(user)
    else this.#ofUsers.set(user, own)
  }

  *#pieces(bytes: Buffer, { raw }: FastifyReply): Generator<Buffer, void> {
    const { pieceMs, answerMs, eachMs } = this.#limits
    const giveUp = () => raw.destroy()
    const late = setTimeout(giveUp, answerMs + (bytes.length / PIECE_BYTES) * eachMs)
    const stalled = setTimeout(giveUp, pieceMs)
    // The answer is sent when the connection has taken the last piece, not when that piece was made.
    raw.once('close', () => {
      clearTimeout(late)
      clearTimeout(stalled)
    })
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      stalled.refresh()
      yield bytes.subarray(at, at + PIECE_BYTES)
    }
  }
}

/** Returns 0 for streams. */
function sizeOf(payload: unknown): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload)
  return Buffer.isBuffer(payload) ? payload.length : 0
}
