import type { ListedSession } from '../../api/types.ts'
import type { Values } from '../../form/parameters.ts'

/** The text that the record has in place of a secret. */
export const NOT_RECORDED = '[not recorded]'

/** The parameters of a run, as its labels have them. */
export function recordedParameters(labels: ListedSession['labels']): Values {
  try {
    const all: unknown = JSON.parse(labels?.['runbookParameters'] ?? '{}')
    if (typeof all !== 'object' || all === null) return {}
    return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, String(value)]))
  } catch {
    return {}
  }
}
