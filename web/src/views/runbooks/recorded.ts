import type { ListedSession } from '../../api/types.ts'
import type { Values } from '../../form/parameters.ts'

export const NOT_RECORDED = '[not recorded]'

export function recordedParameters(labels: ListedSession['labels']): Values {
  try {
    const all: unknown = JSON.parse(labels?.['runbookParameters'] ?? '{}')
    if (typeof all !== 'object' || all === null) return {}
    return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, String(value)]))
  } catch {
    return {}
  }
}
