/** Joins the pieces. In the usual case of one piece, nothing is copied. */
export function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces
  return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces)
}
