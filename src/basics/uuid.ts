import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** On Linux the kernel makes the UUID, because loading Node's module takes longer than a request. */
export function newUuid(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim()
  } catch {
    return randomUUID()
  }
}
