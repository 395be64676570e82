import * as v from 'valibot'
import { FIRST } from './first-run.ts'
import { about, text, time, wholeCount } from './words.ts'

// What a review says of its request besides the fields of hoop: for rows of a list, and for a decision.

/** Places of values in a script. */
export const MarksShape = v.array(
  v.strictObject({ start: wholeCount, end: wholeCount, names: v.array(text) }),
)

const needs = v.array(v.strictObject({ groups: v.array(text), minimum: wholeCount }))

/** Each of these fields is in every answer about a review, also in a list. */
export const FACTS_OF_REVIEW = {
  summary: about(
    'beginning of the request, with secrets replaced, recorded when it was made; missing for older requests. `values`: the first 8 parameters of a runbook, with at most 80 characters of each value; `more_values`: number of its other parameters; `first_line`: at most 160 characters of the first line of a script that is neither blank nor a comment (`--`, `#`, `/* */`); `lines`: number of lines of the script',
    v.optional(
      v.strictObject({
        values: v.optional(v.array(v.strictObject({ name: text, value: text }))),
        more_values: v.optional(wholeCount),
        first_line: v.optional(text),
        lines: v.optional(wholeCount),
      }),
    ),
  ),
  brings_input: about(
    'whether the requester gave arguments or variables with the request. If false, `env_vars` has only variables that the runbook sets from its parameters. Missing for terminals and for older requests',
    v.optional(v.boolean()),
  ),
  facts: about(
    'facts from the history. At the time of the request: `is_first_by_requester`: whether the requester had never run this runbook (for a script or a terminal: never one on this connection); `new_connections`: number of its connections on which the runbook had never run. A fact is missing if the newest 2,000 sessions do not tell. Of a request that waits: `previous`: the last approved run of the same runbook that the caller may see, with its requester and its beginning (`is_last`: whether it is the last one of all); `is_runbook_changed`: whether the text of the runbook differs from the one of that run, missing if that is unknown',
    v.strictObject({
      is_first_by_requester: v.optional(v.boolean()),
      new_connections: v.optional(wholeCount),
      previous: v.optional(
        v.strictObject({ session: text, owner: text, ran_at: time, is_last: v.boolean() }),
      ),
      is_runbook_changed: v.optional(v.boolean()),
    }),
  ),
  runs: about(
    'how the request has run: number of its runs by outcome, several for a batch. Missing before the first run begins, for terminals, and if the runs are no longer recorded',
    v.optional(
      v.strictObject({
        succeeded: wholeCount,
        failed: wholeCount,
        stopped: wholeCount,
        running: wholeCount,
        not_begun: wholeCount,
      }),
    ),
  ),
  rule: about(
    'the approvals that the request needs: of each entry, at least `minimum` of its `groups`',
    needs,
  ),
  missing: about('the approvals of `rule` that are still needed', needs),
  your_approval: about(
    'what an approval of the caller would do now. `groups`: the groups for which it counts; `missing`: the approvals that are needed after it, as in `rule`, empty if it is the last one; missing if the caller cannot approve',
    v.optional(v.strictObject({ groups: v.array(text), missing: needs })),
  ),
}

/** The newest one first. */
const ends = v.array(
  v.strictObject({
    outcome: v.picklist(['succeeded', 'failed', 'stopped']),
    ran_ms: v.optional(wholeCount),
    session: v.optional(text),
  }),
)

/** Who can decide on a request, and how long such requests wait. */
export const DECIDERS = {
  approvers: about(
    'who can decide, by group: at most 10 `names` in alphabetical order, and the number of `others`; `can_force` is true for a group that decides alone. In a review only while it waits, and not in lists',
    v.optional(
      v.array(
        v.strictObject({
          group: text,
          names: v.array(text),
          others: wholeCount,
          can_force: v.optional(v.literal(true)),
        }),
      ),
    ),
  ),
  usual_wait: about(
    'median time from request to decision of the newest decided `requests`, at most 20, that asked one of the same groups, in seconds; missing if fewer than 3 were decided. In a review only while it waits, and not in lists',
    v.optional(v.strictObject({ seconds: wholeCount, requests: wholeCount })),
  ),
}

/** Each of these fields is only in the answer about one review. */
export const FACTS_OF_ONE_REVIEW = {
  first: FIRST,
  ...DECIDERS,
  reason_need: about(
    'whether a connection of the request asks for a `reason`, by the present settings; missing if it asks for none',
    v.optional(v.picklist(['required', 'optional'])),
  ),
  outcomes: about(
    'how the newest other runs have ended, at most 10, the newest first: those of the same `runbook`, by anybody, and those of the `requester`, of anything. All runs that began and have ended are counted, also those that the caller may not see; `session`: id of the run, only if the caller may see it; `ran_ms`: its duration in milliseconds, missing for runs of older versions. Only for one request; `runbook` is missing for a script and a terminal. Only the newest 2,000 sessions of each are looked through',
    v.optional(v.strictObject({ runbook: v.optional(ends), requester: ends })),
  ),
  marks: about(
    'places in the recorded script to which the template of the runbook wrote a value: `start` and `end` in UTF-16 units, and the `names` of the parameters in the expression, which may be none. At most the first 200. Only for one review; missing if there are none, or if a secret lies across such a place',
    v.optional(MarksShape),
  ),
}

/** The run that `GET /api/reviews/ID/previous` answers. */
export const PreviousRunShape = v.nullable(
  v.strictObject({
    id: about('id of the review of the run', text),
    session: about('id of the session of the run', text),
    owner: about('name of the requester', text),
    connection: about('name of the connection', text),
    ran_at: about('when the run began', time),
    is_last: about('false if the caller may not see a later approved run', v.boolean()),
  }),
)
