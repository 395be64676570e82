import * as v from 'valibot'
import * as answers from '../openapi/answers.ts'
import type { OperationTable } from '../../../contract/operation.ts'

export const connectionOperations: OperationTable = {
  'GET /api/connections': {
    tag: 'Connections',
    summary: 'Lists the connections that the caller may see',
    query: { tag_selector: 'with these tags: env=prod,region!=eu' },
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: v.array(answers.connectionAnswer) },
  },
  'GET /api/connections/:name': {
    tag: 'Connections',
    summary: 'Shows a connection',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: answers.connectionAnswer },
    errors: [404],
  },
  'GET /api/integrations/jira': {
    tag: 'Connections',
    summary: 'Shows the site of Jira where sessions get their issues, without its token',
    role: 'user',
    audit: 'none',
    answers: { 200: answers.jiraAnswer },
  },
  'GET /api/integrations/jira/issuetemplates': {
    tag: 'Connections',
    summary: 'Lists the kinds of issues of these connections, and what callers are asked for',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: v.array(answers.jiraTemplateAnswer) },
  },
  'GET /api/integrations/jira/issuetemplates/:id': {
    tag: 'Connections',
    summary: 'Shows one kind of issues',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: answers.jiraTemplateAnswer },
    errors: [404],
  },
  'GET /api/agents': {
    tag: 'Connections',
    summary: 'Lists the agents of these connections, for admins all, and whether they are connected',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    query: { status: 'CONNECTED or DISCONNECTED' },
    answers: { 200: v.array(answers.agentAnswer) },
  },
  'GET /api/agents/:name': {
    tag: 'Connections',
    summary: 'Shows an agent',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: answers.agentAnswer },
    errors: [404],
  },
  'GET /api/plugins': {
    tag: 'Connections',
    summary: 'Always empty: there are no plugins here',
    role: 'user',
    audit: 'none',
    answers: { 200: answers.noPlugins },
  },
}
