import { StringDecoder } from 'node:string_decoder'
import { ApiError } from './api-error.ts'

/** A block: the lines between two empty lines of an event stream. */
export interface StreamBlock {
  /** Undefined when the block has none. */
  readonly id: string | undefined
  readonly name: string
  /** Undefined for a comment, and whatever else is no event. */
  readonly data: string | undefined
}

/** The longest block, in characters. A gateway's blocks have at most 64 KiB, in base64. */
const LONGEST_BLOCK = 1024 * 1024
/** A CR at the very end may be the first half of a CR LF. */
const LINE_END = /\r\n|\n|\r(?=[^])/

/** Server-sent events (html.spec.whatwg.org, 9.2.6), comments too. @throws ApiError for what is too long to be one */
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
    if (text.length + lines.join('').length > LONGEST_BLOCK)
      throw new ApiError('no-gateway', 'what the gateway streams is no stream of events')
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

/** A comment is a field without a name. */
function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}
