import * as answers from '../openapi/answers.ts'

/** What is common to operations that run something. */
export const EXECUTION = {
  description: '200 when it has ended, whatever its exit code; 202 when it goes on after `limits.wait`.',
  role: 'standard',
  audit: { action: 'execute', type: 'sessions' },
  answers: { 200: answers.execAnswer, 202: answers.execAnswer },
  errors: [403, 404, 422, 429, 500],
} as const
