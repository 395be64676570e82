/** What a search reads where a byte is no UTF-8: as in Go, each such byte counts alone. */
export const INVALID_BYTE = -1
/** The data ends inside a rune, of which more may come. */
export const INCOMPLETE = -3

/** @returns the rune at a byte, INVALID_BYTE as Go sees it, or INCOMPLETE */
export function readRune(data: Buffer, at: number): number {
  const lead = data[at] ?? 0
  if (lead < 0x80) return lead
  const width = widthOf(lead)
  if (width === 1) return INVALID_BYTE
  let rune = lead & (0xff >>> (width + 1))
  for (let index = 1; index < width; index++) {
    const byte = data[at + index]
    if (byte === undefined) return INCOMPLETE
    if ((byte & 0xc0) !== 0x80 || (index === 1 && !mayFollow(lead, byte))) return INVALID_BYTE
    rune = (rune << 6) | (byte & 0x3f)
  }
  return rune
}

/** No overlong forms, no surrogates, nothing beyond U+10FFFF. */
function mayFollow(lead: number, second: number): boolean {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0
    case 0xed:
      return second < 0xa0
    case 0xf0:
      return second >= 0x90
    case 0xf4:
      return second < 0x90
    default:
      return true
  }
}

/** 1 for a byte that begins no rune. */
function widthOf(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 1
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** Bytes of a rune that was read from valid UTF-8. */
export function widthOfRune(rune: number): number {
  if (rune < 0x80) return 1
  return rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4
}
