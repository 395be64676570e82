import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { about, text } from './words.ts'

/** The value is `null` if gateway.yaml has no Jira site. */
const JiraShape = v.nullable(
  v.strictObject({
    id: about('always jira', text),
    url: about('address of the site', text),
    user: about('account of the token', text),
    api_token: v.literal(''),
    status: v.literal('enabled'),
  }),
)

const field = {
  description: about('text for people; may be empty', text),
  jira_field: needed(about('id of the field in Jira, such as summary or customfield_10050', text)),
}
const items = <const Item extends v.GenericSchema>(item: Item) => v.strictObject({ items: v.array(item) })

const JiraTemplateShape = v.strictObject({
  id: about('the same as `name`', text),
  name: about('name of the template', text),
  description: about('text for people; may be empty', text),
  project_key: about('key of the project of the service desk', text),
  request_type_id: about('number of the request type of new issues', text),
  issue_transition_name_on_close: about(
    'status to which the gateway moves an issue after its session has ended',
    text,
  ),
  skip_transition_on_nonzero_exit_code: about(
    'whether the issue keeps its status if the exit code of its session is not 0',
    v.boolean(),
  ),
  mapping_types: about(
    'fields that the gateway sets: to a fact of the session (`preset`) or to a fixed text (`custom`)',
    items(
      v.strictObject({
        ...field,
        type: about(
          'preset: `value` names a fact of the session; custom: `value` is the text',
          v.picklist(['preset', 'custom']),
        ),
        value: about('name of the fact, such as session.user_email, or the text', text),
      }),
    ),
  ),
  prompt_types: about(
    'fields that the caller sets in `jira_fields`',
    items(
      v.strictObject({
        ...field,
        label: about('name of the field, for people; may be empty', text),
        field_type: about(
          'select: the value is an option of the field; other types: the value is a text',
          text,
        ),
        required: about('whether the caller has to fill the field', v.boolean()),
      }),
    ),
  ),
  cmdb_types: about(
    'fields that the caller sets in `jira_fields` to the id of an object of Assets',
    items(
      v.strictObject({
        ...field,
        label: about('name of the field, for people; may be empty', text),
        jira_object_schema_id: about("id of the object's schema in Assets; empty if no schema is set", text),
        jira_object_type: about("id of the object's type in Assets; empty if no type is set", text),
        required: about('whether the caller has to fill the field', v.boolean()),
        value: about('hint for people who choose the object; empty if there is no hint', text),
      }),
    ),
  ),
  connection_ids: about(
    'names of connections that use the template and that the caller may see',
    v.array(text),
  ),
})

export type JiraTemplateAnswer = Frozen<v.InferOutput<typeof JiraTemplateShape>>

const READ = { tag: 'Connections', method: 'GET', role: 'user', audit: 'none' } as const

/** REST can only show the configuration of Jira, which is set in gateway.yaml. */
export const jiraContract = {
  site: {
    ...READ,
    path: '/api/integrations/jira',
    summary: 'Shows the Jira site without its token; null if no site is set',
    answers: { 200: JiraShape },
  },
  templates: {
    ...READ,
    path: '/api/integrations/jira/issuetemplates',
    summary: 'Lists templates of issues, with the fields that callers set',
    scope: 'connection',
    answers: { 200: v.array(JiraTemplateShape) },
  },
  template: {
    ...READ,
    path: '/api/integrations/jira/issuetemplates/:id',
    summary: 'Shows a template of issues',
    scope: 'connection',
    answers: { 200: JiraTemplateShape },
    errors: ['jira-template-not-found'],
  },
} as const satisfies Contract
