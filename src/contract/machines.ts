import * as v from 'valibot'
import type { Contract, Frozen } from './contract.ts'
import { BudgetShape, groupList } from './users.ts'
import { about, moment, nothing, text, time, userName } from './words.ts'

// Machines are users. Hoop has two kinds of machines: service accounts and API keys.

const ServiceAccountShape = v.strictObject({
  id: about('the same as `subject`', text),
  org_id: about("hoop's id of the organization, the same for all machines", text),
  subject: about('name of the machine', text),
  name: about('the same as `subject`', text),
  groups: about('names of the groups of the machine', v.array(text)),
  status: about('inactive: no token of the machine is accepted', v.picklist(['active', 'inactive'])),
})

const apiKey = {
  id: about('the same as `name`', text),
  org_id: about("hoop's id of the organization, the same for all machines", text),
  name: about('name of the machine', text),
  masked_key: about('the same text for all machines: the gateway stores no part of a key', text),
  groups: about('names of the groups of the machine', v.array(text)),
  status: about('revoked: no token of the machine is accepted', v.picklist(['active', 'revoked'])),
  created_by: about('name of the user who created the machine; empty for a machine of gateway.yaml', text),
  created_at: about('when the machine was created; null for a machine of gateway.yaml', time),
  deactivated_by: about(
    'name of the user who deactivated the machine; missing while the machine is active',
    v.optional(text),
  ),
  deactivated_at: about(
    'when the machine was deactivated; missing while the machine is active',
    v.optional(moment),
  ),
  last_used_at: about(
    'when a token of the machine was last used, to the minute; missing if no token was used',
    v.optional(moment),
  ),
}
const ApiKeyShape = v.strictObject(apiKey)

export type ServiceAccountAnswer = Frozen<v.InferOutput<typeof ServiceAccountShape>>
/** A revoked API key is a machine that is not active. */
export type ApiKeyAnswer = Frozen<v.InferOutput<typeof ApiKeyShape>>

const CHANGE = { tag: 'Users', role: 'admin', byCookie: 'refused', peopleOnly: true } as const

/** The part `:subject` of a path is the name of the machine. */
export const serviceAccountContract = {
  list: {
    tag: 'Users',
    method: 'GET',
    path: '/api/serviceaccounts',
    summary: "Lists machines in the form of hoop's service accounts; null if there are no machines",
    role: 'user',
    audit: 'none',
    answers: { 200: v.nullable(v.array(ServiceAccountShape)) },
  },
  create: {
    ...CHANGE,
    method: 'POST',
    path: '/api/serviceaccounts',
    summary: 'Creates a machine',
    audit: { action: 'create', type: 'service_accounts', verb: 'created a machine' },
    body: v.object(
      {
        subject: userName,
        status: v.nullish(v.string('must be a string'), 'active'),
        groups: v.nullish(groupList, []),
      },
      'must be a JSON object',
    ),
    answers: { 201: ServiceAccountShape },
    errors: ['name-taken', 'too-many-tokens', ['invalid-request', 422], 'history-failed'],
  },
  change: {
    ...CHANGE,
    method: 'PUT',
    path: '/api/serviceaccounts/:subject',
    summary: 'Changes a machine',
    audit: { action: 'update', type: 'service_accounts', verb: 'changed a machine' },
    body: v.object(
      { status: v.nullish(v.string('must be a string')), groups: v.nullish(groupList) },
      'must be a JSON object',
    ),
    answers: { 200: ServiceAccountShape },
    errors: [
      'user-not-found',
      'declared-in-settings',
      'not-yourself',
      ['invalid-request', 422],
      'history-failed',
    ],
  },
} as const satisfies Contract

const BudgetUseShape = v.strictObject({
  user: about('name of the machine', text),
  budget: about('budget of the machine', BudgetShape),
  used: about(
    'use by the sessions of the last `per` seconds: number of sessions, bytes of output, hours of execution',
    v.strictObject({ runs: v.number(), bytes: v.number(), hours: v.number() }),
  ),
  free_at: about('when the machine may begin another session; null: immediately', time),
})

export const budgetContract = {
  list: {
    tag: 'Users',
    method: 'GET',
    path: '/api/budgets',
    summary: 'Lists machines that have a budget, with the used part of the budget',
    role: 'auditor',
    audit: 'none',
    answers: { 200: v.array(BudgetUseShape) },
    errors: ['history-failed'],
  },
} as const satisfies Contract

export type BudgetUseAnswer = Frozen<v.InferOutput<typeof BudgetUseShape>>

const NOT_CHANGED = ['user-not-found', 'declared-in-settings', 'not-yourself', 'history-failed'] as const

export const apiKeyContract = {
  list: {
    tag: 'Users',
    method: 'GET',
    path: '/api/api-keys',
    summary: "Lists machines in the form of hoop's API keys; null if there are no machines",
    role: 'admin',
    audit: 'none',
    answers: { 200: v.nullable(v.array(ApiKeyShape)) },
  },
  show: {
    tag: 'Users',
    method: 'GET',
    path: '/api/api-keys/:name',
    summary: "Shows a machine in the form of hoop's API keys",
    role: 'admin',
    audit: 'none',
    answers: { 200: ApiKeyShape },
    errors: ['user-not-found'],
  },
  create: {
    ...CHANGE,
    method: 'POST',
    path: '/api/api-keys',
    summary: 'Creates a machine with a token, which only this answer shows',
    audit: { action: 'create', type: 'api_keys', verb: 'created a machine' },
    body: v.object({ name: userName, groups: v.nullish(groupList, []) }, 'must be a JSON object'),
    answers: {
      201: v.strictObject({
        ...apiKey,
        key: about('token of the machine, which no other answer shows', text),
      }),
    },
    errors: ['name-taken', 'too-many-tokens', 'history-failed'],
  },
  change: {
    ...CHANGE,
    method: 'PUT',
    path: '/api/api-keys/:name',
    summary: 'Changes the groups of a machine',
    audit: { action: 'update', type: 'api_keys', verb: 'changed a machine' },
    body: v.object({ name: v.nullish(userName), groups: v.nullish(groupList) }, 'must be a JSON object'),
    answers: { 200: ApiKeyShape },
    errors: [...NOT_CHANGED, ['invalid-request', 422]],
  },
  remove: {
    ...CHANGE,
    method: 'DELETE',
    path: '/api/api-keys/:name',
    summary: 'Deactivates a machine',
    audit: { action: 'delete', type: 'api_keys', verb: 'deactivated a machine' },
    answers: { 204: nothing },
    errors: NOT_CHANGED,
  },
  reactivate: {
    ...CHANGE,
    method: 'POST',
    path: '/api/api-keys/:name/reactivate',
    summary: 'Activates a machine again, so that its tokens are accepted',
    audit: { action: 'update', type: 'api_keys', verb: 'activated a machine' },
    answers: { 200: ApiKeyShape },
    errors: [...NOT_CHANGED, ['invalid-request', 422]],
  },
} as const satisfies Contract
