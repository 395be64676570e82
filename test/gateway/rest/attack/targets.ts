import { userToken } from '../../../support/sites/running-gateway.ts'

// What there is to attack, in a file of its own: requests are made from it, and sites.

export const CALLERS = ['admin', 'auditor', 'reviewer', 'user', 'stranger', 'nobody'] as const
export type Caller = (typeof CALLERS)[number]

export const FILES = {
  'ops/plain.sh': 'echo plain',
  'ops/list.runbook.sh': 'echo {{ .x | default "y" }} {{ .pw | type "password" | required "it" }}',
  'ops/broken.runbook.sh': 'echo {{ .x | nothing }',
  'ops/bytes.runbook.sh': 'echo \xff {{ .x | squote | asenv "X" }}',
}

/** Of connections; some are wanted more often. */
export const NAMES = ['plain', 'reviewed', 'ticketed', 'both', 'away', 'closed', 'gone', 'plain'] as const

/** By the name of a field in a body: what is there, and what is not. */
export const KNOWN: Readonly<Record<string, readonly unknown[]>> = {
  connection: NAMES,
  connection_name: ['plain', 'reviewed', 'ticketed', 'gone'],
  repository: ['rb', 'gone', 'none'],
  file_name: [...Object.keys(FILES), 'ops/none.sh', '../rb/ops/plain.sh'],
  ref_hash: ['', 'main', 'HEAD', '0'.repeat(40), '--help'],
  parameters: [{}, { x: '1', pw: 'a' }, { pw: '\0' }],
  script: ['echo hi', '', 'a\0b'],
  jira_fields: [{}, { customfield_9: 'x' }, { customfield_2: 'x' }],
  status: ['APPROVED', 'REJECTED', 'REVOKED', 'approved', 'PENDING'],
  time_window: [null, { configuration: { start_time: '00:00', end_time: '23:59' } }],
  email: ['admin', 'nobody'],
  password: [userToken, 'x'],
  metadata: [{}, { a: 1 }],
  env_vars: [
    {},
    { 'envvar:A': 'MQ==' },
    { 'filesystem:B': 'Mg==' },
    { 'envvar:A\0': 'AA==' },
    { 'envvar:A': '%' },
  ],
  client_args: [[], ['a'], ['a\0b'], ['--help', '\ud800']],
  correlation_id: ['c', null],
}
