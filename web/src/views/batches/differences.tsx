import { useCallback } from 'preact/hooks'
import { asRefused, ask } from '../../api/request.ts'
import type { Batch, BatchDiff } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded, type Loaded } from '../../parts/loaded.ts'
import { Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { DiffText } from '../diff/diff-text.tsx'

/** Loads how the outputs differ, and the last lines of failed runs. */
export function useComparison({ id }: Batch): Loaded<BatchDiff> {
  const load = useCallback(
    (signal: AbortSignal) => ask<BatchDiff>('GET', `/api/batches/${encodeURIComponent(id)}/diff`, { signal }),
    [id],
  )
  return useLoaded(load, ['batches'])
}

/** Shows how the output of runs differs from the most frequent output. */
export function Differences({ compared: { value, error } }: { readonly compared: Loaded<BatchDiff> }) {
  // Shows nothing after these answers, because reviewers may see the batch but not its output.
  if (error !== undefined && [403, 404].includes(asRefused(error).status)) return null
  if (error !== undefined) return <Problem error={error} />
  if (value === undefined) return null
  const { usual, differences } = value
  const total = value.same + value.differ
  return (
    <section class="card" aria-labelledby="differences">
      <div class="card-head">
        <h2 id="differences">Output</h2>
        <span class="soft small">{sumOf(value)}</span>
      </div>
      <div class="card-body is-tight">
        <p class="soft small">
          {total === 1
            ? 'One run has ended, so there is nothing to compare yet.'
            : `Compared with each other: exit code, stdout and stderr of the ${total} runs that have ended.`}
        </p>
        {usual !== null && value.differ > 0 && (
          <p class="small">
            {usual.count === 1 ? 'The others are compared with ' : `${usual.count} are the same: `}
            <Name>{namesOf(usual.connections)}</Name>
            {codeOf(usual.exit_code)}
          </p>
        )}
      </div>
      {differences.map(({ exit_code: code, connections, count, diff, note }, index) => (
        <details class="group" key={index} open={index === 0}>
          <summary>
            <Icon name="chevron" small />
            <span>
              <Name>{namesOf(connections)}</Name>
              {codeOf(code)}
              {count > 1 && ` (${count} runs)`}
            </span>
          </summary>
          {note !== null && <p class="card-body soft small">{note}</p>}
          {diff !== null && <DiffText diff={diff} />}
        </details>
      ))}
    </section>
  )
}

function sumOf({ same, differ, more_groups: more }: BatchDiff): string {
  const hidden = more > 0 ? ` (${more} more groups are not shown)` : ''
  if (same === 1) return differ === 0 ? '1 output' : `all ${same + differ} different${hidden}`
  return `${same} same${differ > 0 ? `, ${differ} different` : ''}${hidden}`
}

function codeOf(code: number | null): string {
  return code === null ? '' : `, exit code ${code}`
}

const MAX_NAMES = 12

function namesOf(connections: readonly string[]): string {
  const others = connections.length - MAX_NAMES
  return connections.slice(0, MAX_NAMES).join(', ') + (others > 0 ? `, and ${others} more` : '')
}
