import { auditAnswer, auditHeadAnswer } from '../people/audit/audit-answers.ts'
import type { OperationTable } from '../../../contract/operation.ts'

export const auditOperations: OperationTable = {
  'GET /api/audit/logs': {
    tag: 'Audit',
    summary: 'Lists who saw, changed or decided what, the newest first',
    role: 'auditor',
    audit: { action: 'view', type: 'audit' },
    query: {
      page: 'from 1 to 1000, 1 unless given',
      page_size: 'from 1 to 100, 50 unless given',
      after: 'every entry behind the one of this sequence, the oldest first, without filters',
      actor_subject: 'of this user',
      actor_email: 'the same',
      resource_type: 'about these things',
      action: 'what happened to them',
      http_method: 'by this method',
      http_path: 'by this path, all of it',
      http_status: 'answered with this status',
      client_ip: 'from this address',
      outcome: 'true: it went well; false: it did not',
      created_after: 'then or later, RFC 3339',
      created_before: 'then or before, RFC 3339',
    },
    answers: { 200: auditAnswer },
    errors: [422, 500],
  },
  'GET /api/audit/head': {
    tag: 'Audit',
    summary: 'The newest entry and its hash, to be kept elsewhere',
    role: 'auditor',
    audit: { action: 'view', type: 'audit' },
    answers: { 200: auditHeadAnswer },
    errors: [500],
  },
}
