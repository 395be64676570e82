import type { Session } from '../../api/types.ts'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { ReviewOfSession } from '../approvals/review-panel.tsx'
import { recordedParameters } from '../runbooks/recorded.ts'
import { placeOfSession } from './place.ts'
import { isApproved, isDecided, isWaiting, isWaitingForLock } from './state.tsx'

interface SessionFactsProps {
  readonly session: Session
  readonly reload: () => void
}

/** Shows who ran what, where and when in one line, and the other facts below. */
export function SessionFacts({ session, reload }: SessionFactsProps) {
  const { user, start_date: start, end_date: end, labels, session_batch_id: batch, review } = session
  const commit = labels?.['runbookCommit']
  const parameters = recordedParameters(labels)
  const approvers = approversOf(session)
  const hasRun = !isWaiting(session) && !isApproved(session)
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
          <Fact name={hasRun ? 'Started' : 'Asked'}>
            <Moment at={start} />
          </Fact>
          {hasRun && (
            <Fact name={end !== null ? 'Took' : isWaitingForLock(session) ? 'Waits for' : 'Runs for'}>
              <Elapsed from={start} to={end} />
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
        <NamedValues values={parameters} />
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

function approversOf({ review }: Session): string {
  const approved = review?.review_groups_data.filter(({ status }) => status === 'APPROVED') ?? []
  return [...new Set(approved.map(({ reviewed_by: by }) => by?.name ?? ''))]
    .filter((name) => name !== '')
    .join(', ')
}

function Issue({ session: { integrations_metadata: issue } }: { readonly session: Session }) {
  if (issue === null) return null
  const { jira_issue_key: key, jira_issue_url: url } = issue
  return (
    <Fact name="Jira">
      {/^https?:\/\//.test(url) ? (
        <a href={url} rel="noreferrer" target="_blank">
          <Name>{key}</Name>
        </a>
      ) : (
        <Name>{key}</Name>
      )}
    </Fact>
  )
}
