import type { RunBody } from '../../contract/executions.ts'
import { refused } from '../refusals/request-refused.ts'

const MAX_METADATA_FIELDS = 20
const MAX_METADATA_CHARACTERS = 2500
/** SQLite rejects JSON of more than a thousand levels, so such a session would be missing in every list. */
const MAX_METADATA_LEVELS = 100

/** Checks the limits of hoop, with hoop's messages and status. @throws RequestRefused */
export function checkLimits({ metadata, correlation_id: correlationId }: RunBody): void {
  checkMetadata(metadata)
  if (correlationId === undefined || correlationId === null) return
  if (correlationId.length > 255) throw refused('invalid-request/correlation-id-length')
  if (/[^\x20-\x7e]/.test(correlationId)) throw refused('invalid-request/correlation-id-characters')
}

/** @throws RequestRefused */
export function checkMetadata(metadata: RunBody['metadata']): void {
  const fields = Object.entries(metadata)
  if (fields.length > MAX_METADATA_FIELDS) throw refused('invalid-request/metadata-fields')
  if (
    fields.some(
      ([key, value]) => key.length >= MAX_METADATA_CHARACTERS || characters(value) >= MAX_METADATA_CHARACTERS,
    )
  ) {
    throw refused('invalid-request/metadata-length')
  }
  if (isDeeper(metadata, MAX_METADATA_LEVELS))
    throw refused('invalid-request/metadata-levels', { most: MAX_METADATA_LEVELS })
}

/** Tells whether a value of JSON has more levels. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1))
}

function characters(value: unknown): number {
  try {
    return typeof value === 'string' ? value.length : JSON.stringify(value).length
  } catch {
    // The value has more levels than the stack allows. Such a value is always too long.
    return Infinity
  }
}
