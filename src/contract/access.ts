import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { ReasonNeed } from './reason.ts'
import { about, numberOption, option, readOption, text, wholeCount } from './words.ts'

const ApprovalShape = v.strictObject({
  path: about(
    'path of the runbooks to which this rule applies; null: the rule applies to all other uses',
    v.nullable(text),
  ),
  groups: about('groups that may approve; empty: the rule asks for no approval', v.array(text)),
  minimum: about('minimum number of these groups that have to approve', wholeCount),
  force_groups: about('groups whose members may approve or reject alone', v.array(text)),
  self_approval: about('whether requesters may approve their own requests', v.boolean()),
  setting: about('setting of gateway.yaml that has the rule, such as `connections[pg].review`', text),
})
const UseShape = v.strictObject({
  allowed: about('whether the user may use the connection in this way', v.boolean()),
  reason: about('why the use is not allowed; empty if the use is allowed', text),
  approvals: about(
    'rules of approval; the first rule that matches decides; empty if the use needs no approval',
    v.array(ApprovalShape),
  ),
  reason_setting: ReasonNeed,
  setting: about(
    'setting of gateway.yaml that decides, such as `connections[pg].review`; null if several rules decide, or if no setting restricts the use',
    v.nullable(text),
  ),
  verdict: about('the answer and its rule in one sentence', text),
})

const LEVELS = ['none', 'reads', 'approval', 'free'] as const
const AMOUNTS = ['no', 'some', 'approval', 'free'] as const
const cell = {
  level: needed(
    about(
      'none: no use is allowed; reads: the user is an auditor, who may only read; approval: some uses need approval; free: the allowed uses need no approval',
      v.picklist(LEVELS),
    ),
  ),
  text: needed(about('the level and its reasons in words', text)),
}
const ExplanationShape = v.strictObject({
  user: needed(about('name of the user', text)),
  connection: needed(about('name of the connection', text)),
  ...cell,
  groups: about(
    'groups of the user that may see the connection; empty: all users may see the connection; null: the user may not see the connection',
    v.nullable(v.array(text)),
  ),
  uses: needed(
    about(
      '`runbooks`: runbooks; `exec`: scripts; `connect`: terminals; `port`: ports for native clients',
      v.strictObject({
        runbooks: needed(UseShape),
        exec: needed(UseShape),
        connect: needed(UseShape),
        port: UseShape,
      }),
    ),
  ),
})
const AmountShape = v.picklist(AMOUNTS)
const CellShape = v.strictObject({
  ...cell,
  uses: about(
    'no: not allowed; some: some runbooks need approval; approval: needs approval; free: needs no approval',
    v.strictObject({ runbooks: AmountShape, exec: AmountShape, connect: AmountShape, port: AmountShape }),
  ),
})
const MatrixShape = v.strictObject({
  connections: about('names of the connections', v.array(text)),
  users: about(
    'users, each with a cell for each connection. With `by=groups`: groups; a cell says what a user with this group alone may do',
    v.array(
      v.strictObject({
        name: about('name of the user or group', text),
        kind: about('what the entry is', v.picklist(['person', 'machine', 'group'])),
        groups: about('names of the groups of the user; empty for a group', v.array(text)),
        members: about('number of users in the group; null for a user', v.nullable(wholeCount)),
        cells: about('an entry for each connection, in the order of `connections`', v.array(CellShape)),
      }),
    ),
  ),
  more_users: about('number of users or groups after those of this answer', wholeCount),
  more_connections: about('number of connections after the connections of this answer', wholeCount),
})

export type AccessExplanation = Frozen<v.InferOutput<typeof ExplanationShape>>
export type AccessAmount = (typeof AMOUNTS)[number]
export type AccessMatrix = Frozen<v.InferOutput<typeof MatrixShape>>

const READ = { tag: 'Users', method: 'GET' } as const
const VIEW = { action: 'view', type: 'users' } as const

export const accessContract = {
  list: {
    ...READ,
    path: '/api/access',
    audit: { ...VIEW, verb: 'looked at who may do what' },
    summary: 'Lists what each user may do on each connection, and why',
    description:
      'An answer has at most 50 users and 50 connections; `offset` and `connection_offset` select others.',
    role: 'auditor',
    query: {
      by: readOption(
        'users or groups (default: users)',
        (word) => (['users', 'groups'] as const).find((one) => one === word),
        'by must be users or groups',
      ),
      user: option(
        'only users or groups whose name contains this text (ignoring case), and users who are in the group with this name',
      ),
      connection: option(
        'only connections with this text in the name (ignoring case); with a `*`, which stands for any text, only connections of this whole name',
      ),
      offset: numberOption('offset', 'number of users to skip (default: 0)', 1_000_000, 0),
      connection_offset: numberOption(
        'connection_offset',
        'number of connections to skip (default: 0)',
        1_000_000,
        0,
      ),
    },
    answers: { 200: MatrixShape },
    errors: [['invalid-request', 422]],
  },
  explain: {
    ...READ,
    path: '/api/access/:name/:connection',
    audit: { ...VIEW, verb: 'looked at what a user may do' },
    summary: 'Explains what a user may do on a connection, and which rules decide',
    role: 'user',
    scope: 'read',
    query: {
      runbook: option('path of a runbook: `uses.runbooks` is then about this runbook alone'),
    },
    answers: { 200: ExplanationShape },
    errors: ['user-not-found', 'connection-not-found'],
  },
} as const satisfies Contract
