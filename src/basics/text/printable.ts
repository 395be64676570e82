const MAX_LINE_CHARACTERS = 300

/** Makes foreign text fit into one line: without line breaks and control characters, limited in length. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  if (plain.length <= MAX_LINE_CHARACTERS) return plain
  // gRPC throws when it encodes half a surrogate pair.
  return `${plain.slice(0, MAX_LINE_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}...`
}

/**
 * JSON does not escape these characters, but terminals obey them: U+009B starts an escape sequence, U+202E
 * reverses text.
 */
const OBEYED = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** Returns JSON of the same meaning that is safe to show on a terminal, even with foreign texts. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_name, member: unknown) => (member === undefined ? null : member),
    indent,
  ).replace(OBEYED, escaped)
}

/** As in JSON, a character above U+FFFF becomes two escapes. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** Makes foreign text safe for a terminal: keeps line breaks and tabs, and shows other control characters. */
export function printableText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
      character === '\n' || character === '\t' ? character : visible(character),
    )
}

/** Like `printableText`, in one line of any length. */
export function printableLine(text: string): string {
  return printableText(text)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim()
}

/** Makes foreign text one cell of a line of TSV. The escapes can be undone: a backslash becomes two. */
export function printableCell(text: string): string {
  return text.replaceAll(
    /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => ESCAPES[character] ?? visible(character),
  )
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function visible(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16)
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
}
