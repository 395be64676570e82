import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { FIRST_OF_RUNBOOK } from './first-run.ts'
import { about, plainOption, text, wholeCount } from './words.ts'

const Metadata = v.record(v.string(), v.record(v.string(), v.unknown()))

const RunbookShape = v.strictObject({
  name: needed(about('path of the file in its repository', text)),
  metadata: about(
    'for each parameter its `description`, `required` (the value may not be empty) and `type`, and if the template has them `required_text` (the text of `required`), `default`, `placeholder`, `options`, `pattern`, `minlength`, `maxlength`, `order`, `asenv`, `options_from` (`list`, the path of its list of values, and `of`, the parameter that chooses among them)',
    Metadata,
  ),
  error: about('why the file cannot be run; null if the file can be run', v.nullable(text)),
  block_metadata: about(
    'the same as `metadata`, for parameters that the template uses only inside blocks such as `{{ if }}`; if several actions describe such a parameter differently, only its `type` is there; missing if the template cannot be read',
    v.optional(Metadata),
  ),
  title: v.optional(
    v.pipe(
      text,
      v.description('first line of the leading comment of the file; missing if there is no such line'),
    ),
  ),
  description: v.optional(
    v.pipe(
      text,
      v.description('the leading comment without its first line; missing if there are no further lines'),
    ),
  ),
  first: about(FIRST_OF_RUNBOOK, v.optional(text)),
  connections: about(
    'names of the connections that can run the runbook; only with `list_connections`, and in `GET /api/plugins/runbooks/templates`',
    v.optional(v.array(text)),
  ),
  asks: about(
    'groups whose approval a run by the caller needs on some of `connections`, as the settings are now; missing if no run needs approval; only with `list_connections`',
    v.optional(v.array(text)),
  ),
  confirm: about(
    'whether page and command line ask people to type the name of the connection before a run; only with `connection_name`',
    v.optional(v.boolean()),
  ),
})

const commit = {
  commit: about('full id of the commit from which the files were read', text),
  commit_author: about('author of the commit, as `Name <address>`', text),
  commit_message: about('message of the commit, at most 4096 characters', text),
}

/** The copies at the top level are deprecated in hoop's published contract. */
const RunbookListShape = v.strictObject({
  errors: about(
    'messages about repositories that could not be read, were read from an old copy, or have more runbooks than the list',
    v.array(text),
  ),
  repositories: about(
    'repositories with their runbooks',
    v.array(
      v.strictObject({
        repository: needed(about('key of the repository, or the name of a local folder', text)),
        ...commit,
        items: about('runbooks of the repository', v.array(RunbookShape)),
      }),
    ),
  ),
  items: about(
    'deprecated: runbooks of all repositories; missing if no repository could be read',
    v.optional(v.array(RunbookShape)),
  ),
  commit: about(
    'deprecated: `commit` of the first repository; missing without a repository',
    v.optional(text),
  ),
  commit_author: about(
    'deprecated: `commit_author` of the first repository; missing without a repository',
    v.optional(text),
  ),
  commit_message: about(
    'deprecated: `commit_message` of the first repository; missing without a repository',
    v.optional(text),
  ),
})

/** These objects of hoop are parts of gateway.yaml here, so they have no times. */
const times = { created_at: v.null(), updated_at: v.null() }

const RuleShape = v.strictObject({
  id: about('the same as `name`', text),
  org_id: about("hoop's id of the organization, the same for all rules", text),
  name: about('name of the connection', text),
  description: about('always empty', text),
  runbooks: about(
    'runbooks that may be run',
    v.array(
      v.strictObject({
        repository: about('key of the repository, or the name of a local folder', text),
        name: about('folder of the runbooks; empty: the whole repository', text),
      }),
    ),
  ),
  connections: about('the connection of the rule', v.array(text)),
  user_groups: about('groups whose members may run these runbooks; empty: all users', v.array(text)),
  ...times,
})

const ConfigurationShape = v.strictObject({
  id: about("hoop's id, always the same", text),
  org_id: about("hoop's id of the organization, always the same", text),
  repositories: about(
    'repositories of gateway.yaml; fields of secrets are empty',
    v.array(
      v.strictObject({
        repository: about('key of the repository, or the name of a local folder', text),
        git_url: about('address of the repository', text),
        git_user: about('always empty', text),
        git_password: about('always empty', text),
        ssh_key: about('always empty', text),
        ssh_user: about('always empty', text),
        ssh_keypass: about('always empty', text),
        ssh_known_hosts: about('always empty', text),
        git_hook_ttl: about('seconds after which the repository is fetched again', wholeCount),
      }),
    ),
  ),
  ...times,
})

const TemplatesShape = v.strictObject({ items: v.array(RunbookShape), ...commit })

export type RunbookAnswer = Frozen<v.InferOutput<typeof RunbookShape>>
export type RunbookListAnswer = Frozen<v.InferOutput<typeof RunbookListShape>>
export type RuleAnswer = Frozen<v.InferOutput<typeof RuleShape>>
export type RepositoryAnswer = Frozen<v.InferOutput<typeof ConfigurationShape>>['repositories'][number]
/** The runbooks in hoop's first form. In this form, all runbooks appear to be from one repository. */
export type TemplatesAnswer = Frozen<v.InferOutput<typeof TemplatesShape>>

const READ = { tag: 'Runbooks', method: 'GET', role: 'user', scope: 'connection', audit: 'none' } as const

export const runbookContract = {
  list: {
    ...READ,
    path: '/api/runbooks',
    summary: 'Lists runbooks and their parameters, by repository',
    query: {
      connection_name: plainOption('only the runbooks of this connection'),
      connection: plainOption('the same as `connection_name`, by its old name'),
      list_connections: plainOption('true: each runbook has the list of connections that may run it'),
      remove_empty_connections: plainOption('false: for admins, also lists runbooks that no connection runs'),
    },
    answers: { 200: RunbookListShape },
    errors: [['runbooks-not-configured', 404], 'connection-not-found'],
  },
  templates: {
    ...READ,
    path: '/api/plugins/runbooks/templates',
    summary: "Lists the runbooks of all connections, in hoop's first form",
    answers: { 200: TemplatesShape },
    errors: [
      ['runbooks-not-configured', 404],
      ['repository-failed', 422],
    ],
  },
  connectionTemplates: {
    ...READ,
    path: '/api/plugins/runbooks/connections/:name/templates',
    summary: "Lists the runbooks of a connection, in hoop's first form",
    answers: { 200: TemplatesShape },
    errors: [['runbooks-not-configured', 404], 'connection-not-found', ['repository-failed', 422]],
  },
  rules: {
    ...READ,
    path: '/api/runbooks/rules',
    summary:
      "Lists which groups may run which runbooks, in hoop's form: a rule for each connection with runbooks",
    answers: { 200: v.array(RuleShape) },
  },
  rule: {
    ...READ,
    path: '/api/runbooks/rules/:id',
    summary: 'Shows the rule of a connection',
    answers: { 200: RuleShape },
    errors: ['rule-not-found'],
  },
  configurations: {
    tag: 'Runbooks',
    method: 'GET',
    path: '/api/runbooks/configurations',
    summary: 'Shows the repositories, without their secrets',
    role: 'admin',
    audit: 'none',
    answers: { 200: ConfigurationShape },
    errors: [['runbooks-not-configured', 404]],
  },
} as const satisfies Contract
