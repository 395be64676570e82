import type { Session } from '../../api/types.ts'
import { machineText } from '../../parts/called.ts'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icon.tsx'
import { IssueLink } from '../../parts/issue-link.tsx'
import { Elapsed, ExactMoment } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { ReviewOfSession } from '../approvals/review-panel.tsx'
import { recordedParameters } from '../runbooks/recorded.ts'
import { placeOfSession } from './place.ts'
import { isDecided } from './state.tsx'

interface SessionFactsProps {
  readonly session: Session
  readonly reload: () => void
}

/** Shows who ran what, where and when in one line, and the other facts below. */
export function SessionFacts({ session, reload }: SessionFactsProps) {
  const {
    user,
    start_date: asked,
    began_at: began = null,
    end_date: end,
    labels,
    session_batch_id: batch,
    review,
  } = session
  const commit = labels?.['runbookCommit']
  const parameters = recordedParameters(labels)
  const approvers = approversOf(session)
  return (
    <details class="fold">
      <summary>
        <Icon name="chevron" small />
        <dl class="facts">
          <Fact name="On">
            <Name>{placeOfSession(session)}</Name>
          </Fact>
          <Fact name="By">
            <Name>{user}</Name>
          </Fact>
          <Fact name={began === null ? 'Asked' : 'Began'}>
            <ExactMoment at={began ?? asked} />
          </Fact>
          {began !== null && (
            <Fact name={end === null ? 'Runs for' : 'Took'}>
              <Elapsed from={began} to={end} />
            </Fact>
          )}
          {approvers !== '' && (
            <Fact name="Approved by">
              <Name>{approvers}</Name>
            </Fact>
          )}
        </dl>
      </summary>
      <dl class="facts is-list">
        <Moments session={session} />
        <NamedValues values={parameters} />
        {session.machine !== undefined && (
          <Fact name="By a tool of an AI agent">
            <Name>{machineText(session.machine)}</Name>
          </Fact>
        )}
        {session.reason !== undefined && (
          <Fact name="Reason">
            <Name>{session.reason}</Name>
          </Fact>
        )}
        {Object.keys(parameters).length === 0 && <Fact name="Parameters">none</Fact>}
        {commit !== undefined && (
          <Fact name="Commit">
            <code>{commit.slice(0, 12)}</code>
          </Fact>
        )}
        {batch !== undefined && (
          <Fact name="Batch">
            <a href={batchPath(batch)}>
              <Name>{batch}</Name>
            </a>
          </Fact>
        )}
        <Issue session={session} />
      </dl>
      {review !== null && isDecided(session) && <ReviewOfSession session={session} reload={reload} />}
    </details>
  )
}

/** Shows the moments of a session that are known, in their order, without the one in the line above. */
function Moments({ session }: { readonly session: Session }) {
  const { start_date: asked, approved_at: approved, began_at: began = null, end_date: ended } = session
  const moments = [
    ['Asked', began === null ? null : asked],
    ['Approved', approved],
    ['Ended', ended],
  ] as const
  return moments.map(
    ([name, at]) =>
      typeof at === 'string' && (
        <Fact key={name} name={name}>
          <ExactMoment at={at} />
        </Fact>
      ),
  )
}

function approversOf({ review }: Session): string {
  const approved = review?.review_groups_data.filter(({ status }) => status === 'APPROVED') ?? []
  return [...new Set(approved.map(({ reviewed_by: by }) => by?.name ?? ''))]
    .filter((name) => name !== '')
    .join(', ')
}

function Issue({ session: { integrations_metadata: issue } }: { readonly session: Session }) {
  if (issue === null) return null
  return (
    <Fact name="Jira">
      <IssueLink issue={issue} />
    </Fact>
  )
}
