/**
 * Characters that do something to the text around them, or cannot be seen: controls, and those that change the
 * direction of writing. Joiners, which emoji need, are not among them.
 */
const UNSEEN = /[^\P{Cc}\t\n]|[\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu

/** What stands for such a character. */
export function visibleForm(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, '0')}\u27e9`
}

/** Text that others have written, on one line: names, descriptions, reasons. */
export function visible(text: string): string {
  return text.replace(UNSEEN, visibleForm)
}

/** The same of a text of several lines. */
export function visibleLines(text: string): string {
  return visible(text.replaceAll('\r\n', '\n'))
}
