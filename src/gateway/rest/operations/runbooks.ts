import * as v from 'valibot'
import { RenderShape, RepositoryRunShape, RunbookRunShape } from '../../../contract/executions.ts'
import * as answers from '../openapi/answers.ts'
import { EXECUTION } from './executions.ts'
import type { OperationTable } from '../../../contract/operation.ts'

export const runbookOperations: OperationTable = {
  'POST /api/plugins/runbooks/connections/:name/exec': {
    tag: 'Runbooks',
    summary: 'Runs a runbook on a connection',
    scope: 'connection',
    body: RunbookRunShape,
    ...EXECUTION,
  },
  'POST /api/runbooks/exec': {
    tag: 'Runbooks',
    summary: 'Runs a runbook of a repository on a connection',
    scope: 'connection',
    body: RepositoryRunShape,
    ...EXECUTION,
  },
  'POST /api/runbooks/render': {
    tag: 'Runbooks',
    summary: 'Shows the script that an execution would send, and runs nothing',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    body: RenderShape,
    answers: { 200: answers.renderAnswer },
    errors: [403, 404, 422, 500],
  },
  'GET /api/runbooks': {
    tag: 'Runbooks',
    summary: 'Lists runbooks and their parameters, by repository',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    query: {
      connection_name: 'only those of this connection',
      connection: 'the same, by its old name',
      list_connections: 'true: with the connections that may run each',
      remove_empty_connections: 'false: for admins, also those that no connection runs',
    },
    answers: { 200: answers.runbookListAnswer },
    errors: [404],
  },
  'GET /api/runbooks/rules': {
    tag: 'Runbooks',
    summary: 'Lists who may run what: a rule for each connection that runs runbooks',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: v.array(answers.runbookRuleAnswer) },
  },
  'GET /api/runbooks/rules/:id': {
    tag: 'Runbooks',
    summary: 'Shows a rule',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: answers.runbookRuleAnswer },
    errors: [404],
  },
  'GET /api/runbooks/configurations': {
    tag: 'Runbooks',
    summary: 'Shows the repositories to admins, without their secrets',
    role: 'admin',
    audit: 'none',
    answers: { 200: answers.runbookConfigurationAnswer },
    errors: [404],
  },
  'GET /api/plugins/runbooks/templates': {
    tag: 'Runbooks',
    summary: 'Lists the runbooks of all connections, in the first form',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: answers.runbookTemplatesAnswer },
    errors: [404, 422],
  },
  'GET /api/plugins/runbooks/connections/:name/templates': {
    tag: 'Runbooks',
    summary: 'Lists the runbooks of a connection, in the first form',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: answers.runbookTemplatesAnswer },
    errors: [404, 422],
  },
}
