import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { ApiError } from './http/api-error.ts'
import { askJson } from './http/json.ts'

/** A field of a Jira issue that callers fill. */
export interface JiraField {
  readonly id: string
  readonly label: string
  readonly description: string
  readonly required: boolean
}

const Text = v.nullish(v.string(), '')
const Field = v.object({
  jira_field: v.string(),
  label: Text,
  description: Text,
  required: v.nullish(v.boolean(), false),
})
const Fields = v.nullish(v.object({ items: v.nullish(v.array(Field), []) }), {})
const Template = v.object({ prompt_types: Fields, cmdb_types: Fields })
const Connection = v.object({ jira_issue_template_id: Text })

/** What an execution on this connection is asked for. Empty where there are no issues. @throws ApiError */
export async function fetchJiraFields(account: Account, connection: string): Promise<readonly JiraField[]> {
  try {
    const path = `/api/connections/${encodeURIComponent(connection)}`
    const { value } = await askJson(account, { method: 'GET', path }, Connection)
    const template = value.jira_issue_template_id
    return template === '' ? [] : await fieldsOf(account, template)
  } catch (error) {
    // The gateway says by itself what is missing.
    if (error instanceof ApiError && (error.kind === 'not-found' || error.kind === 'no-gateway')) return []
    throw error
  }
}

async function fieldsOf(account: Account, template: string): Promise<readonly JiraField[]> {
  const path = `/api/integrations/jira/issuetemplates/${encodeURIComponent(template)}`
  const { value } = await askJson(account, { method: 'GET', path }, Template)
  const { prompt_types: prompts, cmdb_types: objects } = value
  return [...prompts.items, ...objects.items].map(({ jira_field: id, ...field }) => ({ id, ...field }))
}
