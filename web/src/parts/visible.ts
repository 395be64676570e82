/**
 * Matches invisible characters, and characters that change the text around them, such as the direction of
 * writing. Does not match the joiners and the two variation selectors that emoji need.
 */
export const HIDDEN =
  '[\\p{Default_Ignorable_Code_Point}\\u2028\\u2029\\ufff9-\\ufffb](?<!\\u200c|\\u200d|\\ufe0e|\\ufe0f)'
const UNSEEN = new RegExp(`[^\\P{Cc}\\t\\n]|${HIDDEN}`, 'gu')

export function visibleForm(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, '0')}\u27e9`
}

/** Makes hidden characters of other people's text visible, on one line. */
export function visible(text: string): string {
  return text.replace(UNSEEN, visibleForm)
}

/** Makes hidden characters visible in a text of several lines. */
export function visibleLines(text: string): string {
  return visible(text.replaceAll('\r\n', '\n'))
}
