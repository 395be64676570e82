import { finished, Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { within } from '../../basics/abort.ts'
import { RequestRefused } from '../refusals/request-refused.ts'

export interface StreamLimits {
  /** Streams at the same time. Each has a socket, and up to 1 MiB for a slow reader. */
  readonly streams: number
  readonly ofOneUser: number
  /** The last ones of `streams`. Only users with fewer than `FEW` streams get them. */
  readonly reserved: number
  /** Time for a reader to take the next piece. A reader who was cut off can reconnect and continue. */
  readonly pieceMs: number
  /** Time for streams to send the rest when the gateway closes. */
  readonly closingMs: number
}

/** Tabs and command lines of somebody who watches a run. Three users with 64 streams each leave room for 16 others. */
const FEW = 4

const STREAM_LIMITS: StreamLimits = {
  streams: 256,
  ofOneUser: 64,
  reserved: 64,
  pieceMs: 60_000,
  closingMs: 1000,
}

/**
 * Interval of keepalive comments, the same as in hoop's gateway: proxies end connections that are silent for
 * a minute.
 */
export const KEEPALIVE_MS = 30_000
export const STREAM_KEEPALIVE = ': keepalive\n\n'

const HEADERS = {
  // Proxies recognize streams by `no-cache`. `no-store` is the wanted effect.
  'cache-control': 'no-cache, no-store',
  // For nginx, which would buffer the stream.
  'x-accel-buffering': 'no',
}

interface StreamReader {
  readonly user: string
  /** Settles when the connection of the stream is over. */
  readonly over: Promise<void>
  readonly end: () => void
}

/** Streams to readers. The number of readers is bounded, and a reader who stops reading is cut off. */
export class EventStreams {
  readonly #what: string
  readonly #limits: StreamLimits
  readonly #type: string
  readonly #readers = new Set<StreamReader>()

  /** @param what name of the streamed things, in the plural, for the texts of refusals */
  constructor(what: string, limits: StreamLimits = STREAM_LIMITS, type = 'text/event-stream') {
    this.#type = type
    this.#what = what
    this.#limits = limits
  }

  /**
   * @param source disposed when the reader has gone
   * @param pieces yields the text; after the signal it yields the rest and ends
   * @param type media type of this answer (default: the one of all)
   * @throws RequestRefused 429
   */
  send<Source extends Disposable>(
    request: FastifyRequest,
    reply: FastifyReply,
    source: Source,
    pieces: (source: Source, closing: AbortSignal) => AsyncIterable<string>,
    type = this.#type,
  ): FastifyReply {
    const { raw } = reply
    // The reader may leave while the stream waits for the next piece, so the wait has to end with the
    // connection.
    const over = new AbortController()
    this.#admit(request, reply, () => over.abort(), source)
    const watched = this.#watched(pieces(source, over.signal), () => raw.destroy())
    return reply
      .headers({ ...HEADERS, 'content-type': type })
      .send(Readable.from(watched, { objectMode: false }))
  }

  /**
   * Counts the reader of an answer that is sent in other ways, until the answer has ended.
   * @throws RequestRefused 429
   */
  admit(request: FastifyRequest, reply: FastifyReply): void {
    this.checkRoom(request.user.name)
    this.#admit(request, reply, () => undefined)
  }

  #admit({ user }: FastifyRequest, { raw }: FastifyReply, end: () => void, source?: Disposable): void {
    const over = new Promise<void>((resolve) => finished(raw, () => resolve()))
    const reader = { user: user.name, over, end }
    this.#readers.add(reader)
    void over.then(() => {
      end()
      source?.[Symbol.dispose]()
      this.#readers.delete(reader)
    })
  }

  /**
   * Ends all streams, each after its last known piece. Waits at most `closingMs` for streams that are not
   * read.
   */
  async close(): Promise<void> {
    for (const { end } of this.#readers) end()
    await within(Promise.all([...this.#readers].map(({ over }) => over)), this.#limits.closingMs)
  }

  /** Checks the limits. Call it before anything is opened for one more stream. @throws RequestRefused 429 */
  checkRoom(user: string): void {
    const { streams, ofOneUser, reserved } = this.#limits
    const own = [...this.#readers].filter((reader) => reader.user === user).length
    const refuse = (text: string) =>
      new RequestRefused(
        'too-many-clients',
        `too many streams: this gateway serves at most ${text} at once; close some first`,
      )
    const { size } = this.#readers
    if (size >= streams) throw refuse(`${streams} streams of ${this.#what}`)
    if (own >= FEW && size >= streams - reserved)
      throw refuse(`${streams - reserved} streams of ${this.#what} to users who have ${FEW} or more of them`)
    if (own >= ofOneUser) throw refuse(`${ofOneUser} streams of ${this.#what} of one user`)
  }

  /** Cuts off a reader who takes nothing for `pieceMs`. */
  async *#watched(
    pieces: AsyncIterable<string>,
    giveUp: () => void,
  ): AsyncGenerator<string, void, undefined> {
    for await (const piece of pieces) {
      const late = setTimeout(giveUp, this.#limits.pieceMs)
      try {
        yield piece
      } finally {
        clearTimeout(late)
      }
    }
  }
}
