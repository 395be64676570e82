import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Returns a new UUID. On Linux the kernel makes it: Node's module takes longer to load than a request takes. */
export function newUuid(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim()
  } catch {
    return randomUUID()
  }
}
