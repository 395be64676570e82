import { mayRun, person } from '../../api/person.ts'
import type { Session } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { continuePath, sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'

/** What a session says about the other session of its pair. The page of a first run ends in "Continue". */
export function PairNote({ session }: { readonly session: Session }) {
  const { first, second } = session
  if (first !== undefined)
    return (
      <Note tone="live">
        <p>
          This run was requested with <a href={sessionPath(first.session)}>its dry run</a>
          {first.state !== null && `, which ${visible(first.state.text)}`}
          {first.end_date !== null && (
            <>
              {' '}
              <Moment at={first.end_date} />
            </>
          )}
          .
        </p>
      </Note>
    )
  if (second === undefined || session.status !== 'done') return null
  return second.session === null ? (
    <NotContinued session={session} file={second.file} />
  ) : (
    <Note tone="live">
      <p>
        This was the dry run of <Name>{second.file}</Name>, which{' '}
        <a href={sessionPath(second.session)}>was requested with it</a>.
      </p>
    </Note>
  )
}

interface NotContinuedProps {
  readonly session: Session
  /** Path of the second runbook. */
  readonly file: string
}

function NotContinued({ session, file }: NotContinuedProps) {
  const { id, labels, state, began_at: began, user } = session
  const repository = labels?.['runbookRepository'] ?? ''
  const hasSucceeded = state.name === 'succeeded'
  const mayGoOn = mayRun() && user === person.value?.name && typeof began === 'string'
  return (
    <Note
      tone={hasSucceeded ? 'live' : 'wait'}
      role="status"
      title={hasSucceeded ? 'This was only the dry run.' : 'The dry run did not succeed.'}
    >
      <p>
        <Name>{file}</Name> has not been requested.
        {mayGoOn || typeof began === 'string' || ' Run the dry run again before you continue.'}
      </p>
      {mayGoOn && (
        <p class="line">
          <a class={hasSucceeded ? 'button is-primary' : 'button'} href={continuePath(repository, file, id)}>
            <Icon name="run" />
            {hasSucceeded ? 'Continue' : 'Continue in spite of it'}
          </a>
        </p>
      )}
    </Note>
  )
}
