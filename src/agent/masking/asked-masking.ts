import type { ConnectionParams } from '../../wire/params.ts'

/** What a session's parameters say about masking (protocol.md 8.2). */
export type AskedMasking = Pick<
  ConnectionParams,
  | 'clientVerb'
  | 'dlpProvider'
  | 'dlpMode'
  | 'dlpInfoTypes'
  | 'dlpPresidioAnalyzerUrl'
  | 'dlpPresidioAnonymizerUrl'
  | 'dataMaskingEntityTypesData'
>

/** Whether there may be something to mask. The engines are loaded only then. */
export function asksForMasking(asked: AskedMasking): boolean {
  const { dlpProvider, dlpInfoTypes, dataMaskingEntityTypesData: rules } = asked
  if (dlpProvider === '') return false
  // These are the types of Google's service. The other providers have rules.
  const infoTypes = MASKERS.has(dlpProvider) ? 0 : dlpInfoTypes.length
  return infoTypes > 0 || !(rules === undefined || NO_RULES.has(rules.toString('latin1')))
}

/** The providers that mask here. */
const MASKERS: ReadonlySet<string> = new Set(['mspresidio', 'alcatraz'])
const NO_RULES: ReadonlySet<string> = new Set(['', '[]', 'null'])
