/** Cuts bytes into pieces of these sizes, again and again. */
export function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const all: Buffer[] = []
  for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    all.push(bytes.subarray(at, at + size))
    at += size
  }
  return all
}
