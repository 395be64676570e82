import { StringDecoder } from 'node:string_decoder'
import * as v from 'valibot'
import { parsedJson } from '../../basics/text/json.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from './api-error.ts'
import { askWell } from './json.ts'

/** The time of three keepalives. A gateway sends one every 30 s. */
const PIECE_MS = 90_000

export type StreamedEvent =
  | { readonly kind: 'connected' }
  /** `type` is `o` for output, `e` for a text about the session, and `i` for the session's input. */
  | { readonly kind: 'event'; readonly type: string; readonly time: string; readonly bytes: Buffer }
  /** This many bytes of output are missing from the record. */
  | { readonly kind: 'incomplete'; readonly bytes: number }
  | { readonly kind: 'ended' }

const Event = v.object({ time: v.string(), type: v.string(), payload: v.string() })
const Incomplete = v.object({ missing_bytes: v.number() })

/** The event stream of one session. Each new connection begins where the previous one ended. */
export class SessionStream {
  readonly #account: Account
  readonly #id: string
  #place: string | undefined

  constructor(account: Account, id: string) {
    this.#account = account
    this.#id = id
  }

  /**
   * Opens one connection and yields its events.
   * @throws ApiError. Its kind is `no-gateway` for a stream without ids, because such a stream cannot be
   * resumed
   */
  async *connect(signal: AbortSignal): AsyncGenerator<StreamedEvent, void, undefined> {
    for await (const block of streamBlocks(await this.#open(signal))) {
      if (this.#place === undefined && block.id === undefined) throw noPlaces()
      const event = this.#eventOf(block)
      if (event !== undefined) yield event
      // `yield` returns after the reader has processed the event. Only then the place may move to this event.
      this.#place = block.id ?? this.#place
    }
  }

  async #open(signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const headers = {
      Accept: 'text/event-stream',
      ...(this.#place !== undefined && { 'Last-Event-ID': this.#place }),
    }
    const path = `/api/sessions/${encodeURIComponent(this.#id)}/stream`
    const answer = await askWell(this.#account, { method: 'GET', path, headers, pieceMs: PIECE_MS, signal })
    if (answer.contentType.startsWith('text/event-stream')) return answer.body
    answer.discard()
    throw noPlaces()
  }

  #eventOf({ id, name, data }: StreamBlock): StreamedEvent | undefined {
    if (data === undefined) return id === undefined ? undefined : { kind: 'connected' }
    switch (name) {
      case 'event': {
        const { payload, ...event } = read(Event, data)
        return { kind: 'event', ...event, bytes: Buffer.from(payload, 'base64') }
      }
      case 'incomplete':
        return { kind: 'incomplete', bytes: read(Incomplete, data).missing_bytes }
      case 'session_end':
        return { kind: 'ended' }
      default:
        return undefined
    }
  }
}

/** Streams of hoop's gateway have no position, so that a new connection would begin with the next event. */
function noPlaces(): ApiError {
  return new ApiError('no-gateway', 'the stream of this gateway cannot be resumed')
}

function read<T>(shape: v.GenericSchema<unknown, T>, data: string): T {
  const parsed = v.safeParse(shape, parsedJson(data))
  if (parsed.success) return parsed.output
  throw new ApiError('no-gateway', 'the gateway sent an event with an unknown form')
}

/** The lines between two empty lines of an event stream. */
export interface StreamBlock {
  readonly id: string | undefined
  readonly name: string
  /** Undefined for comments. */
  readonly data: string | undefined
}

/** Characters. A gateway's blocks have at most 64 KiB, in base64. */
const MAX_BLOCK_CHARACTERS = 1024 * 1024
/**
 * A CR at the end of the text does not end a line yet, because the next piece may begin with the LF after it.
 */
const LINE_END = /\r\n|\n|\r(?=[^])/

/** Parses server-sent events (html.spec.whatwg.org, 9.2.6). @throws ApiError for a block that is too long */
export async function* streamBlocks(
  body: AsyncIterable<Buffer>,
): AsyncGenerator<StreamBlock, void, undefined> {
  const decoder = new StringDecoder('utf8')
  let text = ''
  const lines: string[] = []
  for await (const piece of body) {
    const parts = (text + decoder.write(piece)).split(LINE_END)
    text = parts.pop() ?? ''
    for (const line of parts) {
      if (line !== '') lines.push(line)
      else if (lines.length > 0) yield blockOf(lines.splice(0))
    }
    if (text.length + lines.join('').length > MAX_BLOCK_CHARACTERS)
      throw new ApiError('no-gateway', 'the answer is not a stream of events')
  }
}

function blockOf(lines: readonly string[]): StreamBlock {
  const fields = lines.map(fieldOf)
  const last = (name: string) => fields.findLast(([field]) => field === name)?.[1]
  const data = fields.filter(([field]) => field === 'data').map(([, value]) => value)
  return {
    id: last('id'),
    name: last('event') ?? '',
    data: data.length === 0 ? undefined : data.join('\n'),
  }
}

/** Splits a line into name and value. In a comment, the name is empty. */
function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}
