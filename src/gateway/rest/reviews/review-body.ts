import * as v from 'valibot'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { Decision } from '../../reviews/decision.ts'
import type { TimeWindow, ReviewVerdict } from '../../reviews/review.ts'
import { minutesOf } from '../../reviews/time-window.ts'
import { readExecBody } from '../body/body.ts'
import { HttpError } from '../http/http-error.ts'

const text = v.string('must be a text')
export const reviewBody = v.object(
  {
    status: v.pipe(text, v.nonEmpty('must not be empty')),
    time_window: v.nullish(
      v.object(
        {
          configuration: v.nullish(
            v.object({ start_time: v.nullish(text, ''), end_time: v.nullish(text, '') }, 'must be an object'),
            {},
          ),
        },
        'must be an object',
      ),
    ),
    force_review: v.nullish(v.boolean('must be true or false'), false),
    rejection_reason: v.nullish(
      v.pipe(text, v.maxLength(10_000, 'must not have more than 10000 characters')),
      '',
    ),
  },
  'must be a JSON object',
)

const VERDICTS: readonly ReviewVerdict[] = ['APPROVED', 'REJECTED', 'REVOKED']

/** @throws HttpError 400 */
export function readDecision(body: unknown): Decision {
  const {
    status,
    time_window: asked,
    force_review: force,
    rejection_reason: reason,
  } = readExecBody(reviewBody, body)
  const timeWindow = asked === null || asked === undefined ? undefined : readWindow(asked.configuration)
  const verdict = VERDICTS.find((one) => one === status.toUpperCase())
  if (verdict === undefined)
    throw new HttpError('invalid-request', hoopWords.reviewNotUpdated('unknown status'))
  return { verdict, force, reason, ...(timeWindow !== undefined && { timeWindow }) }
}

function readWindow({ start_time: from, end_time: to }: Times): TimeWindow {
  const [start, end] = [from ?? '', to ?? '']
  if (start === '' || end === '') throw new HttpError('invalid-request', hoopWords.halfTimeWindow)
  for (const [which, time] of [
    ['start_time', start],
    ['end_time', end],
  ] as const)
    if (minutesOf(time) === undefined)
      throw new HttpError('invalid-request', hoopWords.invalidWindowTime(which))
  return { start, end }
}

interface Times {
  readonly start_time?: string | null
  readonly end_time?: string | null
}
