import type { History } from '../../history/history.ts'
import type { SessionEvent } from '../../history/session.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { HttpError } from '../http/http-error.ts'
import { StringDecoder } from 'node:string_decoder'

interface StreamOptions {
  readonly form: unknown
  /** Whether changes of the terminal's size are among the events. hoop's readers do not know them. */
  readonly sizes: boolean
}

/**
 * The JSON elements of `event_stream` (protocol.md 10.4), read from the history page by page, since a record may be
 * larger than a string can be. `raw-queries` are for a database's own protocol, which no session here has; hoop then
 * answers with the events, too.
 * @throws HttpError 422 for an unknown form
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
      throw new HttpError('invalid-request', hoopWords.unknownEventStream, 422)
  }
}

function* listed(events: Iterable<SessionEvent>): Generator<string, void> {
  let separator = ''
  for (const { seconds, kind, bytes } of events) {
    yield separator + JSON.stringify([seconds, kind, bytes.toString('base64')])
    separator = ','
  }
}

/** Bytes as one JSON string, in pieces: together they may be longer than a JavaScript string can be. */
export function* jsonText(form: 'utf8' | 'base64', pieces: Iterable<Buffer>): Generator<string, void> {
  const decoder = new StringDecoder(form)
  yield '"'
  for (const piece of pieces) yield escaped(decoder.write(piece))
  yield `${escaped(decoder.end())}"`
}

/** The text as it stands between the quotes of JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
