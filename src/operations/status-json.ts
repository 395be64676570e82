import { printableJson } from '../basics/text/printable.ts'
import type { Status } from './status.ts'

/** One line; what is undefined is null: a field that is always there is easier to read. */
export function formatStatus(status: Status): string {
  return printableJson(status)
}
