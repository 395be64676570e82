const LONGEST_LINE = 300

/** A text that others wrote, for a line of ours: no line break, nothing that moves a cursor, not without end. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  if (plain.length <= LONGEST_LINE) return plain
  // Not half a character: gRPC throws when it encodes one.
  return `${plain.slice(0, LONGEST_LINE).replace(/[\ud800-\udbff]$/, '')}...`
}
