import type { AuditChain } from '../../api/types.ts'

type Verdict = NonNullable<AuditChain['verdict']>

/** @param checking null before the gateway has told its progress */
export function progressText(checking: AuditChain['checking']): string {
  if (checking === null) return 'checking the chain'
  return `checking entry ${checking.sequence.toLocaleString()} of ${checking.until.toLocaleString()}`
}

/** Names the first entry that does not fit. */
export function brokenAt([first]: Verdict['faults']): string {
  return first === undefined ? 'the chain is broken' : `the chain is broken at entry ${first.sequence}`
}
