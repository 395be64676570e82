/**
 * Joins all pieces; ends the source when there is more than the limit.
 * @param limit in bytes
 * @throws what `tooLong` makes, and what the source throws
 */
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
