import type { Session } from '../api/types.ts'
import { Name } from './text.tsx'

/** Shows the key of the session's issue, as a link if its address is one of the web. */
export function IssueLink({ issue }: { readonly issue: NonNullable<Session['integrations_metadata']> }) {
  const { jira_issue_key: key, jira_issue_url: url } = issue
  if (!/^https?:\/\//.test(url)) return <Name>{key}</Name>
  return (
    <a href={url} rel="noreferrer" target="_blank">
      <Name>{key}</Name>
    </a>
  )
}
