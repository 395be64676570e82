import type { ComponentChildren } from 'preact'
import type { Session } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { ReviewOfSession } from '../approvals/review-panel.tsx'
import { recordedParameters } from '../runbooks/recorded.ts'
import { placeOfSession } from './list.tsx'
import { isApproved, isDecided, isWaiting } from './state.tsx'

interface SessionFactsProps {
  readonly session: Session
  readonly reload: () => void
}

/** Who ran what, where, when: in one line, and the rest of it under that. */
export function SessionFacts({ session, reload }: SessionFactsProps) {
  const { user, start_date: start, end_date: end, labels, session_batch_id: batch, review } = session
  const commit = labels?.['runbookCommit']
  const parameters = Object.entries(recordedParameters(labels))
  const approvers = approversOf(session)
  const hasRun = !isWaiting(session) && !isApproved(session)
  return (
    <details class="fold">
      <summary>
        <Icon name="chevron" small />
        <dl class="facts">
          <OneFact name="On">
            <Name>{placeOfSession(session)}</Name>
          </OneFact>
          <OneFact name="By">
            <Name>{user}</Name>
          </OneFact>
          <OneFact name="Since">
            <Moment at={start} />
          </OneFact>
          {hasRun && (
            <OneFact name={end === null ? 'Runs for' : 'Took'}>
              <Elapsed from={start} to={end} />
            </OneFact>
          )}
          {approvers !== '' && (
            <OneFact name="Approved by">
              <Name>{approvers}</Name>
            </OneFact>
          )}
        </dl>
      </summary>
      <dl class="facts is-list">
        {parameters.map(([name, value]) => (
          <OneFact key={name} name={<Name>{name}</Name>}>
            <span class="value">
              <Name>{value}</Name>
            </span>
          </OneFact>
        ))}
        {parameters.length === 0 && <OneFact name="Parameters">none</OneFact>}
        {commit !== undefined && (
          <OneFact name="Commit">
            <code>{commit.slice(0, 12)}</code>
          </OneFact>
        )}
        {batch !== undefined && (
          <OneFact name="Batch">
            <a href={batchPath(batch)}>
              <Name>{batch}</Name>
            </a>
          </OneFact>
        )}
        <Issue session={session} />
      </dl>
      {review !== null && isDecided(session) && <ReviewOfSession session={session} reload={reload} />}
    </details>
  )
}

interface OneFactProps {
  readonly name: ComponentChildren
  readonly children: ComponentChildren
}

function OneFact({ name, children }: OneFactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
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
    <OneFact name="Jira">
      {/^https?:\/\//.test(url) ? (
        <a href={url} rel="noreferrer" target="_blank">
          <Name>{key}</Name>
        </a>
      ) : (
        <Name>{key}</Name>
      )}
    </OneFact>
  )
}
