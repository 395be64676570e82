import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { numberOption, option, text, wholeCount } from './words.ts'

const ApprovalShape = v.strictObject({
  // The runbooks that need the approval; null for everything else.
  path: v.nullable(text),
  groups: v.array(text),
  minimum: wholeCount,
  force_groups: v.array(text),
  self_approval: v.boolean(),
})
const UseShape = v.strictObject({
  allowed: v.boolean(),
  // Why the use is not allowed; empty where it is allowed.
  reason: text,
  approvals: v.array(ApprovalShape),
})

const LEVELS = ['none', 'reads', 'approval', 'free'] as const
const cell = {
  // `approval`: some uses need an approval. `reads`: an auditor, who runs nothing.
  level: needed(v.picklist(LEVELS)),
  // The reason, as text for people.
  text: needed(text),
}
const ExplanationShape = v.strictObject({
  user: needed(text),
  connection: needed(text),
  ...cell,
  // The groups by which the user sees the connection; empty where everybody sees it, null where the user does
  // not.
  groups: v.nullable(v.array(text)),
  uses: needed(
    v.strictObject({ runbooks: needed(UseShape), exec: needed(UseShape), connect: needed(UseShape) }),
  ),
})
const MatrixShape = v.strictObject({
  connections: v.array(text),
  users: v.array(
    v.strictObject({
      name: text,
      kind: v.picklist(['person', 'machine']),
      groups: v.array(text),
      // In the order of `connections`.
      cells: v.array(v.strictObject(cell)),
    }),
  ),
  // Numbers of users and connections that the limits leave out.
  more_users: wholeCount,
  more_connections: wholeCount,
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
