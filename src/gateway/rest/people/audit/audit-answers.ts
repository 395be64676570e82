import * as v from 'valibot'
import { wholeCount, text } from '../../../../contract/words.ts'

const auditEntry = v.strictObject({
  ...{ id: text, org_id: text, sequence: wholeCount, previous_hash: text, hash: text, created_at: text },
  ...{
    actor: text,
    token_id: text,
    token_name: text,
    actor_subject: text,
    actor_email: text,
    actor_name: text,
  },
  ...{ resource_type: text, resource_id: text, action: text },
  ...{ http_method: text, http_path: text, http_status: wholeCount, client_ip: text },
  request_payload_redacted: v.nullable(v.record(v.string(), v.unknown())),
  outcome: v.boolean(),
  error_message: text,
  stage: v.picklist(['asked', 'done']),
  asked: v.nullable(wholeCount),
})

export const auditAnswer = v.strictObject({
  pages: v.strictObject({ total: wholeCount, page: wholeCount, size: wholeCount }),
  data: v.array(auditEntry),
})

export const auditHeadAnswer = v.strictObject({ sequence: wholeCount, hash: text })
