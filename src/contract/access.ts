import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { about, numberOption, option, text, wholeCount } from './words.ts'

const ApprovalShape = v.strictObject({
  path: about('runbooks that need the approval; null: everything else', v.nullable(text)),
  groups: about('groups that may approve', v.array(text)),
  minimum: about('number of groups that have to approve', wholeCount),
  force_groups: about('groups that may approve alone', v.array(text)),
  self_approval: about("whether the owner's own approval counts", v.boolean()),
})
const UseShape = v.strictObject({
  allowed: about('whether the use is allowed', v.boolean()),
  reason: about('why not; empty if it is allowed', text),
  approvals: about('approvals that it needs', v.array(ApprovalShape)),
})

const LEVELS = ['none', 'reads', 'approval', 'free'] as const
const cell = {
  level: needed(
    about('approval: some uses need one; reads: an auditor, who runs nothing', v.picklist(LEVELS)),
  ),
  text: needed(about('the reason in words', text)),
}
const ExplanationShape = v.strictObject({
  user: needed(about('name of the user', text)),
  connection: needed(about('name of the connection', text)),
  ...cell,
  groups: about(
    'groups by which the user sees the connection; empty: everybody sees it; null: the user does not',
    v.nullable(v.array(text)),
  ),
  uses: needed(
    about(
      'the three uses',
      v.strictObject({ runbooks: needed(UseShape), exec: needed(UseShape), connect: needed(UseShape) }),
    ),
  ),
})
const MatrixShape = v.strictObject({
  connections: about('names of connections', v.array(text)),
  users: about(
    'users',
    v.array(
      v.strictObject({
        name: about('name', text),
        kind: about('kind', v.picklist(['person', 'machine'])),
        groups: about('groups', v.array(text)),
        cells: about('an entry for each of the connections, in their order', v.array(v.strictObject(cell))),
      }),
    ),
  ),
  more_users: about('number of users that are left out', wholeCount),
  more_connections: about('number of connections that are left out', wholeCount),
})

/** What a user may do on a connection, and why. */
export type AccessExplanation = Frozen<v.InferOutput<typeof ExplanationShape>>
export type AccessMatrix = Frozen<v.InferOutput<typeof MatrixShape>>

const READ = { tag: 'Users', method: 'GET', audit: { action: 'view', type: 'users' } } as const

export const accessContract = {
  list: {
    ...READ,
    path: '/api/access',
    summary: 'Lists who may do what: users by connections, each cell with the reason',
    description: 'At most 50 users and 50 connections; `offset` and `connection_offset` select others.',
    role: 'auditor',
    query: {
      user: option('only users with this part in their name, or in this group'),
      connection: option('only connections with this part in their name'),
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
    summary: 'Explains what a user may do on a connection, by the rules that decide',
    role: 'user',
    scope: 'read',
    answers: { 200: ExplanationShape },
    errors: ['user-not-found', 'connection-not-found'],
  },
} as const satisfies Contract
