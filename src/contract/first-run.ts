import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { StateShape } from './session-state.ts'
import { about, text, time, wholeCount } from './words.ts'

// A runbook can name a first one, which runs before it with the same values: the author's dry run.

/** Fields of a request for a runbook that names a first one. */
export const pairRun = {
  first: v.nullish(v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty'))),
  despite_first: v.nullish(v.boolean('must be true or false'), false),
}

/** Codes with which such a request is refused. */
export const OF_PAIRS = ['first-missing', 'first-void', 'first-unfinished', 'first-failed'] as const

/** Meaning of `first` of a runbook. */
export const FIRST_OF_RUNBOOK =
  'path of the runbook that has to run before this one, as its dry run; missing if the file names none'

/** The first run as it is now. Its output is in its session. */
const FirstRunShape = v.strictObject({
  session: about('id of the session of the first run', text),
  file: about('path of the first runbook', text),
  state: about(
    'state of the first run; null if the history no longer has its session',
    v.nullable(StateShape),
  ),
  exit_code: about('exit code of the first run; null if there is none', v.nullable(v.number())),
  end_date: about('when the first run ended; null before, and without a session', time),
  event_size: about('bytes of output that are recorded', wholeCount),
})
export type FirstRun = Frozen<v.InferOutput<typeof FirstRunShape>>

/** What a session or its review says about the run before it. */
export const FIRST = about(
  "the first run that the request was made with, the author's dry run: its session, runbook, present `state`, `exit_code`, `end_date`, and the bytes of its output; who may see the review may read the output in that session. Missing if the runbook names no first one; only for one review or session",
  v.optional(FirstRunShape),
)

/** What the session of a first run says about the run after it. */
export const SECOND = about(
  'only for the session of a first run: the runbook that it is the dry run of, and the session that was requested with it; null before. Only for one session',
  v.optional(v.strictObject({ file: text, session: v.nullable(text) })),
)
