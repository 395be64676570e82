/** Joins bytes that have come in pieces. Copies nothing when there is one piece, as is most often the case. */
export function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces
  return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces)
}
