import type { History } from '../../history/history.ts'
import type { SessionEvent } from '../../history/session.ts'
import { HttpError } from '../http-error.ts'
import { StringDecoder } from 'node:string_decoder'

interface StreamOptions {
  readonly form: unknown
  /** Whether changes of the terminal's size are among the events: hoop's readers do not know them. */
  readonly sizes: boolean
}

/**
 * What `event_stream` holds (protocol.md 10.4), as the JSON of its elements, read from the history a page at a time: a
 * record may be larger than a text can be. `raw-queries` are those of a database's own protocol: no session here has
 * any, and then hoop answers with the events.
 * @throws HttpError 422 for a form that there is not
 */
export function eventStream(
  history: History,
  id: string,
  { form, sizes }: StreamOptions,
): Iterable<string, void> {
  switch (form) {
    case 'utf8':
    case 'base64':
      return jsonText(form, history.outputPieces(id))
    case undefined:
    case '':
    case 'raw-queries':
      return listed(history.events(id, sizes ? 'terminal' : 'stream'))
    default:
      throw new HttpError(422, 'event_stream attribute has an unknown type format')
  }
}

function* listed(events: Iterable<SessionEvent>): Generator<string, void> {
  let separator = ''
  for (const { seconds, kind, bytes } of events) {
    yield separator + JSON.stringify([seconds, kind, bytes.toString('base64')])
    separator = ','
  }
}

/** Bytes as one text of JSON, a piece at a time: all of them together may be longer than a text can be. */
export function* jsonText(form: 'utf8' | 'base64', pieces: Iterable<Buffer>): Generator<string, void> {
  const decoder = new StringDecoder(form)
  yield '"'
  for (const piece of pieces) yield escaped(decoder.write(piece))
  yield `${escaped(decoder.end())}"`
}

/** What stands between the quotes. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
