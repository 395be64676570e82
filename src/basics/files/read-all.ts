/** Joins all pieces of at most `limit` bytes together. @throws what `tooLong` makes, and what the source throws */
export async function readAll(
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  limit: number,
  tooLong: () => Error,
): Promise<Buffer> {
  const read: Buffer[] = []
  let length = 0
  for await (const piece of pieces) {
    read.push(piece)
    length += piece.length
    if (length > limit) throw tooLong()
  }
  return Buffer.concat(read, length)
}
