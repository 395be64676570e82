import { isUtf8 } from 'node:buffer'

const NOT_ASCII = /[\u007f-\uffff]/g
const GO_ESCAPED = /[<>&\u2028\u2029]/g

/** The text inside a JSON string, without the quotes, as common writers escape it; nothing when it is not UTF-8. */
export function jsonTexts(text: Buffer): Buffer[] {
  if (!isUtf8(text)) return []
  const plain = JSON.stringify(text.toString('utf8')).slice(1, -1)
  const ascii = plain.replace(NOT_ASCII, unicodeEscape)
  return [
    plain,
    // Python's, and PHP's with escaped slashes.
    ...[ascii, slashesEscaped(ascii)],
    slashesEscaped(plain),
    plain.replace(GO_ESCAPED, unicodeEscape),
  ].map((escaped) => Buffer.from(escaped))
}

function slashesEscaped(json: string): string {
  return json.replaceAll('/', '\\/')
}

/** One UTF-16 unit. */
function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
