import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { ReasonNeed } from './reason.ts'
import { about, numberOption, option, pageSizeOption, text, wholeCount } from './words.ts'

const none = v.array(v.never())
const mode = v.picklist(['enabled', 'disabled'])

/** The fields of hoop's object. All of them are here. */
const connection = {
  id: about('the same as `name`', text),
  name: needed(about('name of the connection', text)),
  resource_name: about('the same as `name`', text),
  type: about('type of the connection', text),
  subtype: about('subtype of the connection; empty if it has no subtype', text),
  command: none,
  secret: v.strictObject({}),
  default_database: v.literal(''),
  status: about(
    'online: the agent of the connection is connected and accepts new sessions',
    v.picklist(['online', 'offline']),
  ),
  agent_id: about('name of the agent of the connection', text),
  managed_by: v.null(),
  tags: none,
  connection_tags: about('tags of the connection', v.record(v.string(), v.string())),
  attributes: none,
  mandatory_metadata_fields: none,
  reviewers: about(
    'groups that may approve, by the setting `review` of the connection; empty without this setting',
    v.array(text),
  ),
  min_review_approvals: about(
    'minimum number of these groups that have to approve; null if the connection has no setting `review`',
    v.nullable(wholeCount),
  ),
  force_approve_groups: about(
    'groups whose members may approve or reject alone; null if the connection has no setting `review`',
    v.nullable(v.array(text)),
  ),
  access_max_duration: about(
    'maximum length of an approved access to terminals, in seconds; null if the connection has no setting `review`',
    v.nullable(v.number()),
  ),
  runbook_reviews: about(
    'the first 20 rules for runbooks, by `runbooks.review`, in the order in which they are tried: `path` is a pattern, `groups` may approve, and at least `minimum` of them have to; without groups, the runbooks need no approval',
    v.array(v.strictObject({ path: text, groups: v.array(text), minimum: wholeCount })),
  ),
  reason: ReasonNeed,
  unreviewed: about(
    'says which uses of the connection need no approval although some of its runbooks do; empty if there are none',
    text,
  ),
  redact_enabled: v.literal(false),
  redact_types: none,
  guardrail_rules: about('names of the guardrails of the connection', v.array(text)),
  access_mode_runbooks: about('whether runbooks may run and the connection has a repository', mode),
  access_mode_exec: about('whether scripts may run', mode),
  access_mode_connect: about('whether terminals and ports of native clients may be opened', mode),
  access_mode_connect_reason: about(
    'why no terminal can be opened although `access.connect` allows terminals; empty otherwise',
    text,
  ),
  native_port: about(
    'protocol of the clients for which `connect --port` can open a port; null: no port can be opened',
    v.nullable(v.picklist(['tcp', 'postgres', 'mysql'])),
  ),
  access_schema: about('always disabled; clients of hoop expect this field', mode),
  jira_issue_template_id: about(
    'name of the template for Jira issues of sessions; empty if the connection has no template',
    text,
  ),
}
const ListedConnectionShape = v.strictObject(connection)
const FeaturesShape = v.strictObject({
  guardrails: about('whether guardrails judge input or output', v.boolean()),
  data_masking: about('whether output is masked', v.boolean()),
  jira_templates: about('whether sessions get Jira issues', v.boolean()),
  ai_session_analyzer: v.literal(false),
  mandatory_metadata: v.literal(false),
  access_request: v.strictObject({
    command: about('whether scripts or some runbooks need approval', v.boolean()),
    jit: about('whether terminals need approval', v.boolean()),
    legacy_reviewers: about('the same as `jit`', v.boolean()),
  }),
})

/** A connection in a list, which has neither secrets nor the command. */
export type ListedConnectionAnswer = Frozen<v.InferOutput<typeof ListedConnectionShape>>
export type FeaturesAnswer = Frozen<v.InferOutput<typeof FeaturesShape>>

const READ = { tag: 'Connections', method: 'GET', role: 'user', audit: 'none' } as const

export const connectionContract = {
  list: {
    ...READ,
    path: '/api/connections',
    scope: 'connection',
    summary: 'Lists connections',
    description:
      'With `page` or `page_size` the answer is a page: `{"pages":{"total","page","size"},"data":[...]}`.',
    query: {
      tag_selector: option('only connections with these tags: env=prod,region!=eu'),
      search: option('only connections with this text in name, type, subtype or status (ignoring case)'),
      name: option('only connections with this text in the name (ignoring case)'),
      type: option('only connections of this type'),
      subtype: option('only connections of this subtype'),
      agent_id: option('only connections of this agent'),
      resource_name: option('only the connection of this name'),
      connection_ids: option('only connections with these ids, separated by commas'),
      attribute: option(
        'only connections with this attribute; no connection has attributes, so the answer is empty',
      ),
      managed_by: option(
        'only connections with this `managed_by`; no connection has a `managed_by`, so the answer is empty',
      ),
      tags: option(
        'only connections with this tag, in the form of older hoop versions; no connection has such tags, so the answer is empty',
      ),
      page: numberOption('page', 'number of the page, from 1 (default: 1)', Number.MAX_SAFE_INTEGER),
      page_size: pageSizeOption('connections per page, from 1 to 100 (default: 50)'),
    },
    answers: {
      // The answer is a page if the caller sends `page` or `page_size`.
      200: v.union([
        v.array(ListedConnectionShape),
        v.strictObject({
          pages: needed(v.strictObject({ total: wholeCount, page: wholeCount, size: wholeCount })),
          data: needed(v.array(ListedConnectionShape)),
        }),
      ]),
    },
    errors: [['invalid-request', 422]],
  },
  show: {
    ...READ,
    path: '/api/connections/:name',
    scope: 'connection',
    summary: 'Shows a connection',
    answers: {
      200: v.strictObject({
        ...connection,
        effective_features: about(
          'features that act on sessions of the connection; only in the answer for one connection',
          FeaturesShape,
        ),
      }),
    },
    errors: ['connection-not-found'],
  },
  /** hoop's command line asks with this request which plugins a connection has. */
  plugins: {
    ...READ,
    path: '/api/plugins',
    summary: "Returns an empty list, for hoop's command line",
    answers: { 200: none },
  },
  plugin: {
    ...READ,
    path: '/api/plugins/:name',
    summary: 'Answers 404: this gateway has no plugins',
    answers: {},
    errors: ['plugin-not-found'],
  },
} as const satisfies Contract
