import { printableLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { fetchJiraFields, type JiraField } from '../../../client/rest/jira.ts'
import { readPairs } from '../input/pairs.ts'
import { askText, canAsk } from '../prompts.ts'

/**
 * Values for the fields of a Jira issue: those that are given, and on a terminal the answers of a person. Without one
 * the gateway says which are missing.
 * @param given `FIELD=VALUE` each
 * @throws Failure, ApiError
 */
export async function jiraFields(
  account: Account,
  connection: string,
  given: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const values = readPairs(given, '--jira')
  if (canAsk())
    for (const field of await fetchJiraFields(account, connection)) {
      if (values.has(field.jira_field)) continue
      const answer = await ask(field)
      if (answer !== '') values.set(field.jira_field, answer)
    }
  return Object.fromEntries(values)
}

function ask({ jira_field: id, label, description, required }: JiraField): Promise<string> {
  const about = [description, required ? '' : '(may be empty)'].filter(Boolean).join(' ')
  const message = printableLine(`Jira, ${label || id}${about === '' ? '' : `: ${about}`}`)
  return askText(message, undefined, (text) => text !== '' || !required || 'it may not be empty')
}
