import type { Lookup } from './lookup.ts'
import { SETTINGS } from './table.ts'

/** The agent's own Presidio: it replaces the addresses and the mode of the gateway, not its provider. */
export interface OwnPresidio {
  readonly analyzer: string
  readonly anonymizer: string
  readonly mode: 'strict' | 'best-effort'
}

/** Both addresses count, or none (protocol.md 5.3). */
export function findPresidio(lookup: Lookup, warnings: string[]): OwnPresidio | undefined {
  const analyzer = lookup.find(SETTINGS.maskingAnalyzer)
  const anonymizer = lookup.find(SETTINGS.maskingAnonymizer)
  const mode = lookup.find(SETTINGS.maskingMode)?.value ?? ''
  const alone = analyzer ?? anonymizer
  if (alone === undefined) return undefined
  if (analyzer === undefined || anonymizer === undefined) {
    warnings.push(`${alone.place}: not used, masking.analyzer and masking.anonymizer only count together`)
    return undefined
  }
  if (mode !== 'strict' && mode !== 'best-effort')
    warnings.push(`DLP_MODE unknown value (${JSON.stringify(mode)}), fallback to best-effort`)
  return {
    analyzer: analyzer.value,
    anonymizer: anonymizer.value,
    mode: mode === 'strict' ? 'strict' : 'best-effort',
  }
}
