import { useCallback } from 'preact/hooks'
import { asRefused, ask } from '../../api/request.ts'
import type { Batch, BatchDiff } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { DiffText } from '../diff/diff-text.tsx'

/** Shows how the output of runs differs from the most frequent output. */
export function Differences({ batch }: { readonly batch: Batch }) {
  const { id } = batch
  const load = useCallback(
    (signal: AbortSignal) => ask<BatchDiff>('GET', `/api/batches/${encodeURIComponent(id)}/diff`, { signal }),
    [id],
  )
  const { value, error } = useLoaded(load, ['batches'])
  // Shows nothing after 404, because reviewers may see the batch but not its output.
  if (error !== undefined && asRefused(error).status === 404) return null
  if (error !== undefined) return <Problem error={error} />
  if (value === undefined) return null
  return (
    <section class="card" aria-labelledby="differences">
      <div class="card-head">
        <h2 id="differences">Output</h2>
        <span class="soft small">
          {value.same === 1 && value.differ === 0 ? '1 output' : `${value.same} same`}
          {value.differ > 0 && `, ${value.differ} different`}
          {value.more_groups > 0 && ` (${value.more_groups} more groups are not shown)`}
        </span>
      </div>
      {value.differences.map(({ exit_code: code, connections, diff, note }, index) => (
        <details class="group" key={index} open={index === 0}>
          <summary>
            <Icon name="chevron" small />
            <Name>{connections.join(', ')}</Name>
            {code !== null && `: exit code ${code}`}
          </summary>
          {note !== null && <p class="card-body soft small">{note}</p>}
          {diff !== null && <DiffText diff={diff} />}
        </details>
      ))}
    </section>
  )
}
