import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { about, plainOption, text, wholeCount } from './words.ts'

const RunbookShape = v.strictObject({
  name: needed(about('path of the file', text)),
  metadata: about(
    'for each parameter `description`, `required` (may not be empty), `type`, and what the template has of `default`, `placeholder`, `options`, `pattern`, `minlength`, `maxlength`, `order`, `asenv`',
    v.record(v.string(), v.record(v.string(), v.unknown())),
  ),
  error: about('why the file cannot be run', v.nullable(text)),
  used_names: about('names that the template may use, also inside blocks', v.optional(v.array(text))),
  title: v.optional(v.pipe(text, v.description('first line of the leading comment of the file'))),
  description: v.optional(v.pipe(text, v.description('the other lines of the leading comment'))),
  connections: about(
    'names of the connections that run it, with `list_connections`',
    v.optional(v.array(text)),
  ),
})

const commit = {
  commit: about('commit that is read', text),
  commit_author: about('its author', text),
  commit_message: about('its message', text),
}

/** With copies at the top level, which the published contract calls deprecated. */
const RunbookListShape = v.strictObject({
  errors: about('why a repository cannot be read, or that more files exist than are listed', v.array(text)),
  repositories: about(
    'repositories with their runbooks',
    v.array(v.strictObject({ repository: needed(text), ...commit, items: v.array(RunbookShape) })),
  ),
  items: about('runbooks of all repositories, a deprecated copy', v.optional(v.array(RunbookShape))),
  commit: about('commit of the first repository, a deprecated copy', v.optional(text)),
  commit_author: about('a deprecated copy', v.optional(text)),
  commit_message: about('a deprecated copy', v.optional(text)),
})

/** Parts of a file have no times of their own. */
const times = { created_at: v.null(), updated_at: v.null() }

const RuleShape = v.strictObject({
  id: text,
  org_id: text,
  name: about('name of the connection', text),
  description: text,
  runbooks: about(
    'runbooks that it is for',
    v.array(
      v.strictObject({
        repository: about('repository', text),
        name: about('path; empty for all', text),
      }),
    ),
  ),
  connections: about('names of connections', v.array(text)),
  user_groups: about('groups that may run them', v.array(text)),
  ...times,
})

const ConfigurationShape = v.strictObject({
  id: text,
  org_id: text,
  repositories: v.array(
    v.strictObject({
      repository: text,
      git_url: text,
      git_user: text,
      git_password: text,
      ssh_key: text,
      ssh_user: text,
      ssh_keypass: text,
      ssh_known_hosts: text,
      git_hook_ttl: wholeCount,
    }),
  ),
  ...times,
})

const TemplatesShape = v.strictObject({ items: v.array(RunbookShape), ...commit })

export type RunbookAnswer = Frozen<v.InferOutput<typeof RunbookShape>>
/** The runbooks of each repository, and the errors of those that could not be read. */
export type RunbookListAnswer = Frozen<v.InferOutput<typeof RunbookListShape>>
export type RuleAnswer = Frozen<v.InferOutput<typeof RuleShape>>
export type RepositoryAnswer = Frozen<v.InferOutput<typeof ConfigurationShape>>['repositories'][number]
/** A list in hoop's first form: as if there were one repository. */
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
      remove_empty_connections: plainOption('false: also lists runbooks that no connection runs, for admins'),
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
    summary: "Lists who may run what, in hoop's form: a rule for each connection that runs runbooks",
    answers: { 200: v.array(RuleShape) },
  },
  rule: {
    ...READ,
    path: '/api/runbooks/rules/:id',
    summary: 'Shows such a rule',
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
