import { useEffect, useState } from 'preact/hooks'
import { ask, asRefused, isAbort, type Refused } from '../../api/request.ts'
import type { Connection, JiraTemplate } from '../../api/types.ts'
import { TextField } from '../../form/text-field.tsx'
import { Problem } from '../../parts/messages.tsx'
import { visible } from '../../parts/visible.ts'

type JiraField = Omit<JiraTemplate['prompt_types']['items'][number], 'field_type'>

/** Values for the Jira issue. Each run on a connection creates such an issue. */
export interface Jira {
  readonly fields: readonly JiraField[]
  readonly values: Readonly<Record<string, string>>
  readonly set: (field: string, value: string) => void
  readonly error: Refused | undefined
}

export function useJira(connection: Connection | undefined): Jira {
  const template = connection?.jira_issue_template_id ?? ''
  const [fields, setFields] = useState<readonly JiraField[]>([])
  const [values, setValues] = useState<Readonly<Record<string, string>>>({})
  const [error, setError] = useState<Refused | undefined>(undefined)
  useEffect(() => {
    setFields([])
    setError(undefined)
    if (template === '') return undefined
    const ended = new AbortController()
    const path = `/api/integrations/jira/issuetemplates/${encodeURIComponent(template)}`
    ask<JiraTemplate>('GET', path, { signal: ended.signal }).then(
      ({ prompt_types }) => setFields(prompt_types.items),
      (failure: unknown) => isAbort(failure) || setError(asRefused(failure)),
    )
    return () => ended.abort()
  }, [template])
  const set = (field: string, value: string) => setValues((before) => ({ ...before, [field]: value }))
  return { fields, values, set, error }
}

export function JiraFields({ jira }: { readonly jira: Jira }) {
  if (jira.error !== undefined) return <Problem error={jira.error} />
  return (
    <>
      {jira.fields.map(({ label, jira_field: field, description, required }) => (
        <TextField
          key={field}
          label={`Jira: ${visible(label)}`}
          hint={visible(description)}
          value={jira.values[field] ?? ''}
          onValue={(value) => jira.set(field, value)}
          required={required}
          isMarked={required}
        />
      ))}
    </>
  )
}
