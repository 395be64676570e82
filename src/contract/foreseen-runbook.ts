import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { ReasonNeed } from './reason.ts'
import { DECIDERS } from './review-facts.ts'
import { about, moment, text, wholeCount } from './words.ts'

/** What a run would need and what it would wait for. The answer holds for this caller at this moment. */
export const ForeseenShape = v.strictObject({
  connection: about('name of the connection', text),
  review: about(
    'approval that the run needs; null: the run needs no approval',
    v.nullable(
      v.strictObject({
        groups: about('groups that may approve', v.array(text)),
        minimum: about('minimum number of groups that have to approve', wholeCount),
        rule: v.pipe(
          v.nullable(text),
          v.description(
            'path of the rule for runbooks that requires the approval; null if the setting `review` of the connection requires it',
          ),
        ),
        unreviewed: about(
          'says which uses of the connection need no approval although the runbook does; empty if there are none',
          text,
        ),
        ...DECIDERS,
      }),
    ),
  ),
  jira_fields: v.pipe(
    v.array(v.strictObject({ jira_field: text, label: text, description: text, required: v.boolean() })),
    v.description(
      'fields of the Jira issue that the caller sets in `jira_fields`; fields that are not `required` may be omitted',
    ),
  ),
  locks: about(
    'locks that the run needs',
    v.array(
      v.strictObject({
        name: about('name of the lock', text),
        holder: about(
          'session that has the lock, its user, and since when it has the lock; null if the lock is free',
          v.nullable(v.strictObject({ session_id: text, user: text, since: moment })),
        ),
        waiting: about('number of sessions that wait for the lock', wholeCount),
      }),
    ),
  ),
  confirm: v.pipe(
    v.boolean(),
    v.description(
      'whether the page and the command line ask people to type the name of the connection before the run; REST requests need no confirmation',
    ),
  ),
  client_input: v.pipe(v.boolean(), v.description('whether `client_args` and `env_vars` are allowed')),
  reason: ReasonNeed,
})
export type ForeseenAnswer = Frozen<v.InferOutput<typeof ForeseenShape>>
