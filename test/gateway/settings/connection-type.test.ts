import { expect, test } from 'vitest'
import { connectionType } from '../../../src/gateway/settings/connections.ts'

test.each([
  ['database', 'postgres', 'postgres'],
  ['database', 'mysql', 'mysql'],
  ['database', 'mongodb', 'mongodb'],
  ['database', 'mssql', 'mssql'],
  ['database', 'oracledb', 'oracledb'],
  ['application', 'tcp', 'tcp'],
  ['application', 'ssh', 'ssh'],
  ['application', 'ssh-local', 'ssh'],
  ['application', 'git', 'ssh'],
  ['application', 'github', 'ssh'],
  ['application', 'httpproxy', 'httpproxy'],
  ['application', 'kibana', 'httpproxy'],
  ['application', 'grafana', 'httpproxy'],
  ['application', 'mcpproxy', 'mcpproxy'],
  ['application', 'ruby-on-rails', 'command-line'],
  ['custom', 'dynamodb', 'dynamodb'],
  ['custom', 'cloudwatch', 'cloudwatch'],
  ['custom', 'rdp', 'rdp'],
  ['custom', 'aws-ssm', 'aws-ssm'],
  ['custom', 'kubernetes', 'kubernetes'],
  ['custom', 'kubernetes-eks', 'kubernetes'],
  ['custom', 'kubernetes-token', 'httpproxy'],
  ['custom', 'httpproxy', 'httpproxy'],
  ['custom', 'mcpproxy', 'mcpproxy'],
  ['custom', 'anything', 'command-line'],
  ['custom', 'constructor', 'command-line'],
  ['httpproxy', 'mcpproxy', 'mcpproxy'],
  ['httpproxy', 'grafana', 'httpproxy'],
  ['command-line', 'postgres', 'command-line'],
  ['toString', undefined, 'toString'],
  ['', undefined, ''],
])('type %s with subtype %s is %s for the agent', (type, subtype, expected) => {
  expect(connectionType(type, subtype)).toBe(expected)
})

test.each([
  ['custom', 'command-line'],
  ['application', 'command-line'],
  ['httpproxy', 'httpproxy'],
  ['database', 'database'],
])('type %s without a subtype is %s for the agent', (type, expected) => {
  expect(connectionType(type, undefined)).toBe(expected)
  expect(connectionType(type, '')).toBe(expected)
})
