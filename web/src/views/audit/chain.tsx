import { useCallback, useEffect, useState } from 'preact/hooks'
import { ask, asRefused, isAbort, type Refused } from '../../api/request.ts'
import type { AuditChain } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { ClockMoment } from '../../parts/moment.tsx'
import { visible } from '../../parts/visible.ts'
import { brokenAt, progressText } from './words.ts'

type Checking = NonNullable<AuditChain['checking']>

export interface ChainState {
  readonly verdict?: NonNullable<AuditChain['verdict']>
  /** Null before the gateway has told its progress; undefined if no check is running. */
  readonly checking?: Checking | null | undefined
  readonly error?: Refused | undefined
}

/** Checks the chain when the view opens, and when the user asks for it. */
export function useChain(): { readonly chain: ChainState; readonly checkNow: () => void } {
  const [chain, setChain] = useState<ChainState>({ checking: null })
  const [asked, setAsked] = useState(0)
  useEffect(() => {
    const ended = new AbortController()
    const change = (next: ChainState) =>
      !ended.signal.aborted && setChain((before) => ({ ...before, error: undefined, ...next }))
    change({ checking: null })
    fetchVerdict(asked > 0, ended.signal, (checking) => change({ checking })).then(
      (verdict) => change({ checking: undefined, ...(verdict !== null && { verdict }) }),
      (error: unknown) => !isAbort(error) && change({ checking: undefined, error: asRefused(error) }),
    )
    return () => ended.abort()
  }, [asked])
  const checkNow = useCallback(() => setAsked((count) => count + 1), [])
  return { chain, checkNow }
}

/** The gateway answers a long check with its progress. Asks again until the check has ended. */
async function fetchVerdict(
  again: boolean,
  signal: AbortSignal,
  tell: (checking: Checking) => void,
): Promise<AuditChain['verdict']> {
  let path = again ? '/api/audit/chain?again=true' : '/api/audit/chain'
  for (;;) {
    const { verdict, checking } = await ask<AuditChain>('GET', path, { signal })
    if (checking === null) return verdict
    tell(checking)
    path = '/api/audit/chain'
  }
}

interface VerdictProps {
  readonly chain: ChainState
  readonly onCheck: () => void
}

/** Says beside the heading whether the chain is whole, up to which entry, and when it was checked. */
export function ChainVerdict({ chain, onCheck }: VerdictProps) {
  return (
    <span class="line audited-chain">
      <span role="status">
        <Verdict chain={chain} />
      </span>
      <button
        type="button"
        class="button is-quiet is-small"
        disabled={chain.checking !== undefined}
        onClick={onCheck}
      >
        <Icon name="lock" small />
        Check now
      </button>
    </span>
  )
}

function Verdict({ chain: { verdict, checking, error } }: { readonly chain: ChainState }) {
  if (checking !== undefined)
    return (
      <span class="chip is-live">
        <Icon name="spin" small turning />
        {progressText(checking)}
      </span>
    )
  if (error !== undefined || verdict === undefined)
    return (
      <span class="chip is-wait">
        <Icon name="alert" small />
        the chain is not checked
      </span>
    )
  return (
    <>
      {verdict.is_whole ? (
        <span class="chip is-good">
          <Icon name="check" small />
          the chain is whole up to entry {verdict.sequence}
        </span>
      ) : (
        <span class="chip is-bad">
          <Icon name="cross" small />
          {brokenAt(verdict.faults)}
        </span>
      )}
      <span class="soft small">
        checked at <ClockMoment at={verdict.checked_at} />
      </span>
    </>
  )
}

/** Names the entries that do not fit, or why the chain could not be checked. */
export function ChainFaults({ chain: { verdict, checking, error } }: { readonly chain: ChainState }) {
  if (error !== undefined)
    return (
      <Note tone="wait" title="The chain could not be checked">
        <p>{visible(error.message)}. Check it later, or with “runbook-agent audit verify”.</p>
      </Note>
    )
  if (verdict === undefined || verdict.is_whole || checking === null) return null
  const [first, ...others] = verdict.faults
  return (
    <Note tone="bad" role="alert" title={`The chain is broken: ${first?.says ?? ''}`}>
      <p>
        Somebody or something has changed the file of the log. Keep a copy of it, and compare the log with an
        earlier export or with a hash that was stored elsewhere.
      </p>
      {others.length > 0 && (
        <details>
          <summary>{others.length === 1 ? '1 more fault' : `${others.length} more faults`}</summary>
          <ul>
            {others.map(({ says }) => (
              <li key={says}>{says}</li>
            ))}
          </ul>
        </details>
      )}
    </Note>
  )
}
