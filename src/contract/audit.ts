import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import { momentOption, numberOption, option, pageSizeOption, readOption, text, wholeCount } from './words.ts'

const AuditEntryShape = v.strictObject({
  id: text,
  org_id: text,
  sequence: wholeCount,
  previous_hash: text,
  hash: text,
  created_at: text,
  actor: text,
  token_id: text,
  token_name: text,
  actor_subject: text,
  actor_email: text,
  actor_name: text,
  resource_type: text,
  resource_id: text,
  action: text,
  http_method: text,
  http_path: text,
  http_status: wholeCount,
  client_ip: text,
  request_payload_redacted: v.nullable(v.record(v.string(), v.unknown())),
  outcome: v.boolean(),
  error_message: text,
  stage: v.picklist(['asked', 'done']),
  asked: v.nullable(wholeCount),
})

/** An entry of the audit log, with hoop's fields, some of which say the same. */
export type AuditEntryAnswer = Frozen<v.InferOutput<typeof AuditEntryShape>>

const READ = {
  tag: 'Audit',
  method: 'GET',
  role: 'auditor',
  audit: { action: 'view', type: 'audit' },
} as const

export const auditContract = {
  list: {
    ...READ,
    path: '/api/audit/logs',
    summary: 'Lists who saw, changed or decided what, the newest first',
    query: {
      page: numberOption('page', 'from 1 to 1000, 1 unless given', 1000),
      page_size: pageSizeOption('from 1 to 100, 50 unless given'),
      after: numberOption(
        'after',
        'every entry behind the one of this sequence, the oldest first, without filters',
        Number.MAX_SAFE_INTEGER,
        0,
      ),
      actor_subject: option('of this user'),
      actor_email: option('the same'),
      resource_type: option('about these things'),
      action: option('what happened to them'),
      http_method: option('by this method'),
      http_path: option('by this path, all of it'),
      http_status: readOption(
        'answered with this status',
        (given) => (/^\d{1,9}$/.test(given) ? Number(given) : undefined),
        'http_status must be a valid integer',
      ),
      client_ip: option('from this address'),
      outcome: readOption(
        'true: it went well; false: it did not',
        (given) => (given === 'true' ? true : given === 'false' ? false : undefined),
        'outcome must be true or false',
      ),
      created_after: momentOption('created_after', 'then or later, RFC 3339'),
      created_before: momentOption('created_before', 'then or before, RFC 3339'),
    },
    answers: {
      200: v.strictObject({
        pages: v.strictObject({ total: wholeCount, page: wholeCount, size: wholeCount }),
        data: needed(v.array(AuditEntryShape)),
      }),
    },
    errors: [['invalid-request', 422], 'history-failed'],
  },
  head: {
    ...READ,
    path: '/api/audit/head',
    summary: 'The newest entry and its hash, to be kept elsewhere',
    answers: { 200: v.strictObject({ sequence: wholeCount, hash: text }) },
    errors: ['history-failed'],
  },
} as const satisfies Contract
