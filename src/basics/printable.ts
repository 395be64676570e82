/** C1 controls, which JSON leaves as they are and terminals obey: U+009B is the start of an escape sequence. */
const C1 = /[\u007f-\u009f]/g

/** JSON that can be shown on a terminal, whoever wrote the texts in it. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_name, member: unknown) => (member === undefined ? null : member),
    indent,
  ).replace(C1, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
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
