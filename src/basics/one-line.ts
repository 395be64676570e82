const LONGEST_LINE = 300

/** A text that others wrote, for a line of ours: no line break, nothing that moves a cursor, not without end. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return plain.length <= LONGEST_LINE ? plain : `${plain.slice(0, LONGEST_LINE)}...`
}
