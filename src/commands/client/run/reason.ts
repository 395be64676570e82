import { REASON, MAX_REASON_CHARACTERS, REASON_FORM } from '../../../contract/reason.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { askText, canAsk } from '../terminal/prompts.ts'

/**
 * Sends the request. If the gateway refuses it because it has no reason, and a person can be asked, asks for the
 * reason and sends the request once more. The refused request has had no effect.
 */
export async function withReason<Request extends object, Answer>(
  request: Request,
  send: (request: Request) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await send(request)
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'reason-missing' || !canAsk()) throw error
  }
  const reason = await askText('reason for this request', undefined, isReason)
  return send({ ...request, reason })
}

function isReason(text: string): true | string {
  if (text.trim() === '') return 'the reason may not be empty'
  return (text.length <= MAX_REASON_CHARACTERS && REASON.test(text)) || `the reason must be ${REASON_FORM}`
}
