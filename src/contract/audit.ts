import * as v from 'valibot'
import { needed, type Contract, type Frozen } from './contract.ts'
import {
  about,
  file,
  momentOption,
  numberOption,
  option,
  pageSizeOption,
  readOption,
  text,
  wholeCount,
} from './words.ts'

const AuditEntryShape = v.strictObject({
  id: about('id of the entry', text),
  org_id: about('always the same', text),
  sequence: about('number of the entry, without gaps', wholeCount),
  previous_hash: about('hash of the entry before', text),
  hash: about('hash of the entry', text),
  created_at: about('when it was written', text),
  actor: about('name of the user; empty if unknown', text),
  token_id: about('id of the token of the request', text),
  token_name: about('name of that token', text),
  actor_subject: about('the name again', text),
  actor_email: about('the name again', text),
  actor_name: about('the name again', text),
  resource_type: about('type of the object', text),
  resource_id: about('id or name of the object; empty for lists', text),
  action: about('what was done', text),
  http_method: about('method of the request; empty without a request', text),
  http_path: about('path of the request', text),
  http_status: about('status of the answer; 0 without one', wholeCount),
  client_ip: about('address of the caller', text),
  request_payload_redacted: about(
    'body of the request, or filters of an export, without secrets',
    v.nullable(v.record(v.string(), v.unknown())),
  ),
  outcome: about('whether it succeeded', v.boolean()),
  error_message: about('why it failed', text),
  stage: about(
    'asked: before a change; done: after it. An entry `asked` is listed only until there is a `done`, or with `after`',
    v.picklist(['asked', 'done']),
  ),
  asked: about('number of the entry before the change', v.nullable(wholeCount)),
})

/** An entry of the audit log, with hoop's fields, some of which repeat others. */
export type AuditEntryAnswer = Frozen<v.InferOutput<typeof AuditEntryShape>>

const READ = {
  tag: 'Audit',
  method: 'GET',
  role: 'auditor',
  audit: { action: 'view', type: 'audit' },
} as const

/** Filters of the list and of an export. */
const FILTERS = {
  actor: option("entries with this part in the user's name, in any case"),
  actor_subject: option('entries of this user'),
  actor_email: option('the same as `actor_subject`'),
  resource_type: option('entries about objects of this type'),
  action: option('entries with this action'),
  http_method: option('entries of requests with this method'),
  http_path: option('entries of requests with exactly this path'),
  http_status: readOption(
    'entries of requests that were answered with this status',
    (given) => (/^\d{1,9}$/.test(given) ? Number(given) : undefined),
    'http_status must be a valid integer',
  ),
  client_ip: option('entries of requests from this address'),
  outcome: readOption(
    'true: only successes; false: only failures',
    (given) => (given === 'true' ? true : given === 'false' ? false : undefined),
    'outcome must be true or false',
  ),
  created_after: momentOption('created_after', 'entries of this time or later, RFC 3339'),
  created_before: momentOption('created_before', 'entries of this time or earlier, RFC 3339'),
  text: option(
    'entries with this part in the id or path, the address, the token, the error or the details, in any case',
  ),
}

export const auditContract = {
  list: {
    ...READ,
    path: '/api/audit/logs',
    summary: 'Lists the entries of the audit log, the newest first',
    query: {
      page: numberOption('page', 'number of the page, from 1 to 1000 (default: 1)', 1000),
      page_size: pageSizeOption('entries per page, from 1 to 100 (default: 50)'),
      after: numberOption(
        'after',
        'returns all entries after this sequence number, the oldest first, and ignores the other options',
        Number.MAX_SAFE_INTEGER,
        0,
      ),
      ...FILTERS,
    },
    answers: {
      200: v.strictObject({
        pages: v.strictObject({ total: wholeCount, page: wholeCount, size: wholeCount }),
        data: needed(v.array(AuditEntryShape)),
        // Number of entries that were searched for `text`, if more entries match the other filters.
        text_looked_at: v.nullable(wholeCount),
      }),
    },
    errors: [['invalid-request', 422], 'history-failed'],
  },
  head: {
    ...READ,
    path: '/api/audit/head',
    summary: 'Shows the sequence number and the hash of the newest entry',
    answers: { 200: v.strictObject({ sequence: wholeCount, hash: text }) },
    errors: ['history-failed'],
  },
} as const satisfies Contract

/** Mounted by hand, since the answer is sent in pieces. */
export const auditStreamContract = {
  exportLines: {
    ...READ,
    path: '/api/audit/export',
    summary: 'Exports the entries of the list as lines of JSON or as CSV, the oldest first',
    description:
      'Entries that are written during the export are left out. `audit verify --file` can check an export of lines of JSON without filters, because it has every entry.',
    audit: { action: 'download', type: 'audit' },
    query: {
      ...FILTERS,
      format: readOption(
        'jsonl or csv (default: jsonl)',
        (given) => (given === 'jsonl' || given === 'csv' ? given : undefined),
        'format must be jsonl or csv',
      ),
    },
    answers: { 200: file },
    type: 'application/x-ndjson',
    errors: ['too-many-clients', 'history-failed'],
  },
} as const satisfies Contract
