import * as v from 'valibot'
import { text } from './answer-words.ts'
import { userFields } from './identity-answers.ts'

// What is answered to the page alone, as in answers.ts.

export const pageSignInAnswer = v.strictObject({ ...userFields, next: v.nullable(text) })
