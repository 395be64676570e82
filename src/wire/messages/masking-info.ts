import { sumOfCounts } from '../../basics/text/units.ts'
import { decodeMsgpack, encodeMsgpack, type Packed, type PackedMap } from './msgpack.ts'

/** What masking did to the output that a packet has. */
export interface MaskedOutput {
  /** Bytes that were replaced. */
  readonly bytes: number
  /** How often each type of entity was replaced. */
  readonly counts: ReadonlyMap<string, number>
  /** Why output passed unmasked. They never quote output. */
  readonly errors: readonly string[]
}

/** The value of `datamasking.info` (protocol.md 8.2). Each error is an item of its own: hoop's gateway counts them. */
export function encodeMaskedOutput({ bytes, counts, errors }: MaskedOutput): Buffer {
  const summaries = [...counts].map(([type, count]) => ({
    info_type: type,
    field: '',
    results: [{ count, code: 'SUCCESS', details: '' }],
  }))
  const done = { transformed_bytes: bytes, transformation_summary: summaries, err: null }
  const failed = errors.map((err) => ({ transformed_bytes: 0, transformation_summary: [], err }))
  return encodeMsgpack({ items: [...(counts.size > 0 ? [done] : []), ...failed] })
}

/** Never throws: what is not of this form counts as nothing. */
export function decodeMaskedOutput(value: Buffer): MaskedOutput {
  const items = listIn(decodeMsgpack(value), 'items')
  const counts = new Map<string, number>()
  for (const summary of items.flatMap((item) => listIn(item, 'transformation_summary'))) {
    const type = memberOf(summary, 'info_type')
    for (const result of listIn(summary, 'results'))
      if (typeof type === 'string' && memberOf(result, 'code') !== 'ERROR')
        counts.set(type, sumOfCounts(counts.get(type) ?? 0, countIn(result, 'count')))
  }
  return {
    bytes: items.reduce<number>((sum, item) => sumOfCounts(sum, countIn(item, 'transformed_bytes')), 0),
    counts,
    errors: items.flatMap((item) => textsIn(item, 'err')),
  }
}

function memberOf(value: Packed | undefined, name: string): Packed | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as PackedMap)[name] : undefined
}

function listIn(value: Packed | undefined, name: string): readonly Packed[] {
  const member = memberOf(value, name)
  return Array.isArray(member) ? (member as readonly Packed[]) : []
}

function countIn(value: Packed, name: string): number {
  const member = memberOf(value, name)
  return typeof member === 'number' && Number.isSafeInteger(member) && member > 0 ? member : 0
}

function textsIn(value: Packed, name: string): string[] {
  const member = memberOf(value, name)
  return typeof member === 'string' && member !== '' ? [member] : []
}
