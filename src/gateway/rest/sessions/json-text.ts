import { StringDecoder } from 'node:string_decoder'

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
