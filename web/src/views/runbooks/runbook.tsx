import { useCallback } from 'preact/hooks'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { query } from '../../parts/router.ts'
import { visible } from '../../parts/visible.ts'
import { RunbookForm } from './form.tsx'
import { openRunbook, type Opened as OpenedRunbook } from './opened.ts'

interface RunbookProps {
  readonly repository: string
  readonly rest: string
}

/** One runbook: its form, its preview, and the way to run it. */
export default function Runbook({ repository, rest: file }: RunbookProps) {
  const again = query.value.get('again') ?? ''
  const load = useCallback(
    (signal: AbortSignal) => openRunbook(repository, file, again, signal),
    [repository, file, again],
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <section class="view">
      <p class="back">
        <a href="/runbooks">All runbooks</a>
      </p>
      <h1>
        <bdi>{visible(file)}</bdi>
      </h1>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value === null && (
        <Empty>
          There is no such runbook for you. It may have been moved:{' '}
          <a href="/runbooks">look for it in the list</a>.
        </Empty>
      )}
      {value && <Opened opened={value} key={`${file} ${again}`} />}
    </section>
  )
}

function Opened({ opened }: { readonly opened: OpenedRunbook }) {
  const { item } = opened
  if (item.error !== null)
    return (
      <p class="problem" role="alert" dir="auto">
        This runbook cannot be run: {visible(item.error)}. Its file has to be corrected.
      </p>
    )
  return <RunbookForm opened={opened} />
}
