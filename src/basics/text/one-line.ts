const LONGEST_LINE = 300

/** Makes foreign text fit into a line of ours: no line break, nothing that moves a cursor, limited in length. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  if (plain.length <= LONGEST_LINE) return plain
  // Never cuts a character in half: gRPC throws when it encodes that.
  return `${plain.slice(0, LONGEST_LINE).replace(/[\ud800-\udbff]$/, '')}...`
}
