/** What JSON leaves as it is and terminals obey: U+009B starts an escape sequence, U+202E turns the text around. */
const OBEYED = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** JSON that can be shown on a terminal, whoever wrote the texts in it. What it says is the same. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_name, member: unknown) => (member === undefined ? null : member),
    indent,
  ).replace(OBEYED, escaped)
}

/** As JSON has it: a character beyond U+FFFF is two escapes. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** Text that others wrote, for a terminal: lines and tabs stay, everything else that a terminal obeys becomes visible. */
export function printableText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
      character === '\n' || character === '\t' ? character : visible(character),
    )
}

/** The same in one line, however long. */
export function printableLine(text: string): string {
  return printableText(text)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim()
}

function visible(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16)
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
}
