import type { Session } from '../../api/types.ts'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { recordedParameters } from '../runbooks/recorded.ts'
import { placeOfSession } from './list.tsx'

/** Who ran what, where, when. */
export function About({ session }: { readonly session: Session }) {
  const { user, start_date: start, end_date: end, labels, session_batch_id: batch } = session
  const commit = labels?.['runbookCommit']
  return (
    <dl class="about">
      <Fact name="Connection">
        <Name>{placeOfSession(session)}</Name>
      </Fact>
      <Fact name="User">
        <Name>{user}</Name>
      </Fact>
      <Fact name="Started">
        <Moment at={start} />
      </Fact>
      <Fact name="Elapsed">
        <Elapsed from={start} to={end} />
      </Fact>
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
      <NamedValues values={recordedParameters(labels)} />
      <Issue session={session} />
    </dl>
  )
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
