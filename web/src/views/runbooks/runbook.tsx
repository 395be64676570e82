import { useCallback } from 'preact/hooks'
import { runbookName } from '../../parts/called.ts'
import { FavouriteButton } from '../../parts/favourites.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Note, Problem } from '../../parts/messages.tsx'
import { query } from '../../parts/router.ts'
import { runsOf } from '../../parts/paths.ts'
import { Trail } from '../../parts/trail.tsx'
import { visible, visibleLines } from '../../parts/visible.ts'
import { RunbookForm } from './form.tsx'
import { openRunbook, type Opened as OpenedRunbook } from './opened.ts'

interface RunbookProps {
  readonly repository: string
  readonly rest: string
}

export default function Runbook({ repository, rest: file }: RunbookProps) {
  const again = query.value.get('again') ?? ''
  const first = query.value.get('first') ?? ''
  const load = useCallback(
    (signal: AbortSignal) =>
      openRunbook(repository, file, { first, again }, new URLSearchParams(location.search), signal),
    [repository, file, first, again],
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <section class="view">
      <header class="head">
        <Trail href="/runbooks" list="Runbooks" file={file} />
        <h1>
          <bdi>{visible(runbookName(file, value?.item.title))}</bdi>
        </h1>
        {value && (
          <div class="line push">
            <FavouriteButton
              repository={value.repository}
              file={value.item.name}
              title={visible(runbookName(value.item.name, value.item.title))}
              hasWord
            />
            <a class="button" href={runsOf(value.item.name)}>
              <Icon name="sessions" />
              Past runs
            </a>
          </div>
        )}
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
          This runbook does not exist, or you have no access to it. If it was moved,{' '}
          <a href="/runbooks">look for it in the list</a>.
        </Empty>
      )}
      {value && <Opened opened={value} key={`${file} ${first} ${again}`} />}
    </section>
  )
}

function Opened({ opened }: { readonly opened: OpenedRunbook }) {
  const { item } = opened
  if (item.error !== null)
    return (
      <Note tone="bad" role="alert" title="This runbook cannot be run">
        {visible(item.error)}. Correct the runbook's file.
      </Note>
    )
  return <RunbookForm opened={opened} />
}
