import type { Session } from '../../api/types.ts'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { recordedParameters } from '../runbooks/recorded.ts'

/** Who ran what, where, when. */
export function About({ session }: { readonly session: Session }) {
  const { user, connection, start_date: start, end_date: end, labels, session_batch_id: batch } = session
  const parameters = Object.entries(recordedParameters(labels))
  return (
    <dl class="about">
      <dt>Connection</dt>
      <dd>
        <Name>{connection}</Name>
      </dd>
      <dt>User</dt>
      <dd>
        <Name>{user}</Name>
      </dd>
      <dt>Started</dt>
      <dd>
        <Moment at={start} />
      </dd>
      <dt>Elapsed</dt>
      <dd>
        <Elapsed from={start} to={end} />
      </dd>
      {labels['runbookCommit'] !== undefined && (
        <>
          <dt>Commit</dt>
          <dd>
            <code>{labels['runbookCommit'].slice(0, 12)}</code>
          </dd>
        </>
      )}
      {batch !== undefined && (
        <>
          <dt>Batch</dt>
          <dd>
            <a href={batchPath(batch)}>
              <Name>{batch}</Name>
            </a>
          </dd>
        </>
      )}
      {parameters.map(([name, value]) => (
        <Parameter key={name} name={name} value={value} />
      ))}
      <Issue session={session} />
    </dl>
  )
}

function Parameter({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>
        <Name>{name}</Name>
      </dt>
      <dd class="value">
        <Name>{value}</Name>
      </dd>
    </>
  )
}

function Issue({ session }: { readonly session: Session }) {
  const issue = session.integrations_metadata
  if (issue === null) return null
  const isWeb = /^https?:\/\//.test(issue.jira_issue_url)
  return (
    <>
      <dt>Jira</dt>
      <dd>
        {isWeb ? (
          <a href={issue.jira_issue_url} rel="noreferrer" target="_blank">
            <Name>{issue.jira_issue_key}</Name>
          </a>
        ) : (
          <Name>{issue.jira_issue_key}</Name>
        )}
      </dd>
    </>
  )
}
