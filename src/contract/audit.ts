import * as v from 'valibot'
import { AUDIT_ACTIONS, AUDIT_TYPES, needed, type Contract, type Frozen } from './contract.ts'
import {
  about,
  file,
  moment,
  momentOption,
  numberOption,
  option,
  pageSizeOption,
  readOption,
  text,
  wholeCount,
} from './words.ts'

const AuditEntryShape = v.strictObject({
  id: about('`sequence` as a text', text),
  org_id: about("hoop's id of the organization, the same for all entries", text),
  sequence: about('number of the entry, from 1, without gaps', wholeCount),
  previous_hash: about('`hash` of the entry before; zeros in the first entry', text),
  hash: about('SHA-256 of the entry, in hex', text),
  created_at: about('when the entry was written', moment),
  actor: about('name of the user who acted; empty if unknown, and for the gateway itself', text),
  token_id: about('id of the token of the request; empty if the request had no token', text),
  token_name: about('name of the token of the request; empty if the request had no token', text),
  actor_subject: about('the same as `actor`', text),
  actor_email: about('the same as `actor`', text),
  actor_name: about('the same as `actor`', text),
  resource_type: about('type of the object', v.picklist(AUDIT_TYPES)),
  resource_id: about('id or name of the object; empty for lists, and if the path has no id or name', text),
  action: about(
    'what was done. execute: a session began, or waits for approval; run: an approved session ran; gap: entries before this entry are missing',
    v.picklist(AUDIT_ACTIONS),
  ),
  http_method: about('method of the request; empty if no request was sent', text),
  http_path: about('path of the request', text),
  http_status: about(
    'status of the answer; 0 if there was no answer, for example in an entry `asked`',
    wholeCount,
  ),
  client_ip: about('IP address of the caller; empty if unknown', text),
  claimed_agent: v.optional(
    about(
      'name of the agent that the caller of a failed sign-in claims to be, at most 100 characters; nothing proves it; missing in entries without such a claim',
      text,
    ),
  ),
  request_payload_redacted: about(
    'body of the request, or filters of an export, shortened and without secrets; null if the request had no body and no filters',
    v.nullable(v.record(v.string(), v.unknown())),
  ),
  outcome: about('whether the action succeeded', v.boolean()),
  error_message: about('why the action failed; empty otherwise', text),
  stage: about(
    'asked: written before a change; done: written after the change. Lists show an entry `asked` only if its entry `done` is missing, or with `after`',
    v.picklist(['asked', 'done']),
  ),
  asked: about(
    '`sequence` of the entry `asked` of the same change; null if there is no such entry',
    v.nullable(wholeCount),
  ),
  did: v.optional(
    about(
      'what was done, as the part of a sentence after the name of the user, such as `approved a request`; missing with `after` and in exports of JSON lines, which have only what the chain has',
      text,
    ),
  ),
  object_name: v.optional(
    about(
      'the object by its name, such as `Refund an order on pg-shop`; empty if the gateway does not know a name, or no longer; missing where `did` is missing',
      text,
    ),
  ),
})

/** An entry with hoop's fields. Some of these fields repeat others. */
export type AuditEntryAnswer = Frozen<v.InferOutput<typeof AuditEntryShape>>

const CHAIN_FAULTS = ['altered', 'missing', 'reordered', 'malformed'] as const
/** Maximum number of reported faults. More faults would tell nothing new. */
export const MAX_FAULTS = 20

const ChainShape = v.strictObject({
  verdict: about(
    'the result of the last check since the start of the gateway; null before its end',
    v.nullable(
      v.strictObject({
        is_whole: about('whether each entry fits to the entry before', v.boolean()),
        checked_at: about('when the check ended', moment),
        entries: about('number of checked entries', wholeCount),
        first: about(
          '`sequence` of the oldest checked entry; null if the log had no entries',
          v.nullable(wholeCount),
        ),
        sequence: about('`sequence` of the newest checked entry; 0 if the log had no entries', wholeCount),
        hash: about('`hash` of that entry', text),
        faults: about(
          `what does not fit, the oldest first, at most ${MAX_FAULTS} faults`,
          v.array(
            v.strictObject({
              sequence: about('`sequence` of the entry, or of the entry after missing ones', wholeCount),
              fault: about('how the entry does not fit', v.picklist(CHAIN_FAULTS)),
              says: about('the fault as a sentence', text),
            }),
          ),
        ),
      }),
    ),
  ),
  checking: about(
    'the progress of a running check: `sequence` of its last checked entry and of its last entry; null if no check is running',
    v.nullable(v.strictObject({ sequence: wholeCount, until: wholeCount })),
  ),
})

/** A fault of one entry, or of entries that are missing before it. */
export interface ChainFault {
  readonly sequence: number
  readonly fault: (typeof CHAIN_FAULTS)[number]
  readonly says: string
}

const READ = { tag: 'Audit', method: 'GET', role: 'auditor' } as const
const VIEW = { action: 'view', type: 'audit' } as const

/** Filters for the list and for an export. */
const FILTERS = {
  actor: option("entries with this text in the user's name (ignoring case)"),
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
  viewed: readOption(
    'false: leaves out views that succeeded; true: only these views',
    (given) => (given === 'true' ? true : given === 'false' ? false : undefined),
    'viewed must be true or false',
  ),
  created_after: momentOption('created_after', 'entries of this time or later, RFC 3339'),
  created_before: momentOption('created_before', 'entries of this time or earlier, RFC 3339'),
  text: option(
    'entries with this text in the id or path, the address, the token, the error or the details (ignoring case)',
  ),
}

export const auditContract = {
  list: {
    ...READ,
    path: '/api/audit/logs',
    audit: { ...VIEW, verb: 'looked at the audit log' },
    summary: 'Lists the entries of the audit log, the newest first',
    query: {
      page: numberOption('page', 'number of the page, from 1 to 1000 (default: 1)', 1000),
      page_size: pageSizeOption('entries per page, from 1 to 100 (default: 50)'),
      after: numberOption(
        'after',
        'returns the next `page_size` entries after this `sequence`, the oldest first, also those that the list hides; all other options are ignored',
        Number.MAX_SAFE_INTEGER,
        0,
      ),
      ...FILTERS,
    },
    answers: {
      200: v.strictObject({
        pages: about(
          '`total`: number of entries that match (with `after`, `sequence` of the newest entry); `page`; `size`: number of entries in this answer',
          v.strictObject({ total: wholeCount, page: wholeCount, size: wholeCount }),
        ),
        data: needed(about('entries of this page', v.array(AuditEntryShape))),
        text_looked_at: about(
          'how many of the newest entries were searched for `text`; null: all entries',
          v.nullable(wholeCount),
        ),
        views_left_out: about(
          'with `viewed=false`: number of entries that only this option leaves out (with `text`: among the newest entries that were searched); null without the option',
          v.nullable(wholeCount),
        ),
      }),
    },
    errors: [['invalid-request', 422], 'history-failed'],
  },
  head: {
    ...READ,
    path: '/api/audit/head',
    audit: { ...VIEW, verb: 'looked at the newest hash of the audit log' },
    summary: 'Shows the sequence number and the hash of the newest entry',
    answers: {
      200: v.strictObject({
        sequence: about('`sequence` of the newest entry; 0 if the log has no entries', wholeCount),
        hash: about('`hash` of that entry', text),
      }),
    },
    errors: ['history-failed'],
  },
  chain: {
    ...READ,
    path: '/api/audit/chain',
    summary: 'Says whether the chain of the entries is whole',
    description:
      'Checks the chain if entries were added since the last check, and answers after the check, or after five seconds with its progress (`checking`). The check goes on meanwhile, beside other work; ask again to wait for it. One check runs at a time.',
    audit: { ...VIEW, verb: 'checked the chain of the audit log' },
    query: {
      again: readOption(
        'true: checks the chain also if no entry was added since the last check',
        (given) => (given === 'true' || given === 'false' ? given === 'true' : undefined),
        'again must be true or false',
      ),
    },
    answers: { 200: ChainShape },
    errors: ['too-much-at-once', 'history-failed'],
  },
} as const satisfies Contract

/** The route is mounted by hand, because the answer is sent in pieces. */
export const auditStreamContract = {
  exportLines: {
    ...READ,
    path: '/api/audit/export',
    summary: 'Exports the entries of the list as lines of JSON or as CSV, the oldest first',
    description:
      'Entries that are written during the export are left out. `audit verify --file` can check an export of lines of JSON without filters, because it has every entry.',
    audit: { action: 'download', type: 'audit', verb: 'exported the audit log' },
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
