import { Buffer } from 'node:buffer'

/** Returns this number of bytes of a typical log, the same each time. */
export function logLines(bytes) {
  const lines = []
  for (let [length, n] = [0, 0]; length < bytes; n++) {
    const id = ((n * 2654435761) % 2 ** 32).toString(16)
    const line = `2026-11-24T10:15:${10 + (n % 50)}.123Z INFO [worker-${n % 8}] request id=${id} user=alice@example.com path=/api/v1/orders/${n} status=200 duration=${n % 100}ms\n`
    lines.push(line)
    length += line.length
  }
  return Buffer.from(lines.join('')).subarray(0, bytes)
}
