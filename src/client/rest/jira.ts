import { connectionContract } from '../../contract/connections.ts'
import { jiraContract, type JiraTemplateAnswer } from '../../contract/jira.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from './http/api-error.ts'
import { call, type Read } from './http/call.ts'

/** A field of a Jira issue that callers fill: its `jira_field` is the id. */
export type JiraField = Pick<
  Read<JiraTemplateAnswer['prompt_types']['items'][number]>,
  'jira_field' | 'label' | 'description' | 'required'
>

/** What an execution on this connection is asked for. Empty where there are no issues. @throws ApiError */
export async function fetchJiraFields(account: Account, name: string): Promise<readonly JiraField[]> {
  try {
    const { jira_issue_template_id: id } = await call(account, connectionContract.show, { name })
    if (id === '') return []
    const { prompt_types: prompts, cmdb_types: objects } = await call(account, jiraContract.template, { id })
    return [...(prompts?.items ?? []), ...(objects?.items ?? [])]
  } catch (error) {
    // The gateway says by itself what is missing.
    if (error instanceof ApiError && (error.kind === 'not-found' || error.kind === 'no-gateway')) return []
    throw error
  }
}
