import type { FirstRun } from '../../contract/first-run.ts'
import type { History } from '../history/history.ts'
import { timeOf } from '../identity.ts'
import { stateView } from './session-state.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import type { Sessions } from './sessions.ts'

// A first run and the run after it know each other by labels, which only the gateway sets.

/** Label of the second run: id of the session of the first run. */
export const FIRST_LABEL = 'runbookFirst'
/** Label of the second run: path of the first runbook. It is still there when the first session is removed. */
export const FIRST_FILE_LABEL = 'runbookFirstFile'
/** Label of the first run: path of the runbook that it is the dry run of. */
export const FIRST_OF_LABEL = 'runbookFirstOf'
/** Label of the first run: keyed hash of all that the second run must have, too. */
export const FIRST_DIGEST_LABEL = 'runbookFirstDigest'
/** Label of both runs: keyed hash of `targetOf` their connection. */
export const FIRST_TARGET_LABEL = 'runbookFirstTarget'

/**
 * Returns where and as what a connection runs commands. After a reload that changes this, a first run has shown another
 * thing than its second run would change, although the connection has the same name.
 */
export function targetOf({ agent, type, subtype, command, secrets }: ConnectionSettings): Buffer {
  const variables = [...secrets].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.from(JSON.stringify([agent, type, subtype ?? null, command, variables]))
}

type Labels = Readonly<Record<string, string>>

interface Reading {
  readonly history: Pick<History, 'session'>
  readonly sessions: Pick<Sessions, 'stateOf'>
}

/** Shows the first run of a session as it is now. */
export function firstRunView({ history, sessions }: Reading, labels: Labels): { readonly first?: FirstRun } {
  const { [FIRST_LABEL]: id, [FIRST_FILE_LABEL]: file = '' } = labels
  if (id === undefined) return {}
  const session = history.session(id)
  return {
    first: {
      session: id,
      file,
      state: session === undefined ? null : stateView(sessions.stateOf(session)),
      exit_code: session?.exitCode ?? null,
      end_date: timeOf(session?.endedAt && Number(session.endedAt)),
      event_size: session?.outputBytes ?? 0,
    },
  }
}
