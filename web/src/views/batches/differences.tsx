import { useCallback } from 'preact/hooks'
import { asRefused, ask } from '../../api/request.ts'
import type { Batch, BatchDiff } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { DiffText } from '../diff/diff-text.tsx'

/** How the output of the runs differs from what most of them have. */
export function Differences({ batch }: { readonly batch: Batch }) {
  const { id } = batch
  const load = useCallback(
    (signal: AbortSignal) => ask<BatchDiff>('GET', `/api/batches/${encodeURIComponent(id)}/diff`, { signal }),
    [id],
  )
  const { value, error } = useLoaded(load, ['batches'])
  // Reviewers see the batch and not its output.
  if (error !== undefined && asRefused(error).status === 404) return null
  if (error !== undefined) return <Problem error={error} />
  if (value === undefined) return null
  return (
    <section aria-labelledby="differences">
      <h2 id="differences">Output</h2>
      <p>
        {value.same} alike{value.differ > 0 && `, ${value.differ} different`}
        {value.more_groups > 0 && ` (${value.more_groups} more kinds are not shown)`}
      </p>
      {value.differences.map(({ exit_code: code, connections, diff, note }, index) => (
        <details key={index} open={index === 0}>
          <summary>
            <Name>{connections.join(', ')}</Name>
            {code !== null && `: exit code ${code}`}
          </summary>
          {note !== null && <p class="hint">{note}</p>}
          {diff !== null && <DiffText diff={diff} />}
        </details>
      ))}
    </section>
  )
}
