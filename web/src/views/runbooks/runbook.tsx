import { useCallback } from 'preact/hooks'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { query } from '../../parts/router.ts'
import { splitPath } from '../../parts/paths.ts'
import { visible, visibleLines } from '../../parts/visible.ts'
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
    (signal: AbortSignal) =>
      openRunbook(repository, file, again, new URLSearchParams(location.search), signal),
    [repository, file, again],
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <section class="view">
      <header class="head">
        <nav aria-label="Where you are">
          <ol class="trail">
            <li>
              <a href="/runbooks">Runbooks</a>
            </li>
            <li>
              <code>
                <bdi>{visible(file)}</bdi>
              </code>
            </li>
          </ol>
        </nav>
        <h1>
          <bdi>{visible(value?.item.title ?? splitPath(file).name)}</bdi>
        </h1>
        {value?.item.description !== undefined && (
          <p class="description" dir="auto">
            {visibleLines(value.item.description)}
          </p>
        )}
      </header>
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
