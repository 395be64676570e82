import type { Account } from '../../client/account/account.ts'
import { fetchConnectionNames } from '../../client/rest/connections.ts'
import { fetchRunbooks, type Parameter } from '../../client/rest/runbooks.ts'
import { listSessions } from '../../client/rest/sessions.ts'
import type { Candidate, CandidateSources } from './candidates.ts'
import { FILES } from './scripts.ts'

/** Short, because somebody has pressed Tab and waits. */
const DEADLINE_MS = 1500
const SESSIONS = 30

/** Asks the gateway of the user who is signed in. If anything goes wrong, there are no candidates, and no message. */
export function gatewaySources(findAccount: () => Account): CandidateSources {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const asking = async (
    ask: (account: Account) => Promise<readonly Candidate[]>,
  ): Promise<readonly Candidate[]> => {
    try {
      return (await ask(findAccount())).filter(isName)
    } catch {
      return []
    }
  }
  return {
    connections: () => asking(async (account) => (await fetchConnectionNames(account, signal)).map(named)),
    runbooks: (connection) =>
      asking(async (account) =>
        (await fetchRunbooks(account, connection, signal)).runbooks.map(({ name }) => named(name)),
      ),
    parameters: (connection, file) =>
      asking(async (account) => {
        const { runbooks } = await fetchRunbooks(account, connection, signal)
        return runbooks.find(({ name }) => name === file)?.parameters.flatMap(assignments) ?? []
      }),
    sessions: () =>
      asking(async (account) => {
        const { sessions } = await listSessions(account, { limit: SESSIONS }, signal)
        return sessions.map(({ id, connection, status, startedAt }) => ({
          value: id,
          description: `${connection} ${status} ${startedAt}`,
        }))
      }),
  }
}

/** A name that begins with `-` would become a flag, and FILES is a word of ours for the shells' scripts. */
function isName({ value }: Candidate): boolean {
  return value !== FILES && !value.startsWith('-')
}

function named(value: string): Candidate {
  return { value, description: '' }
}

function assignments({ name, description, options }: Parameter): Candidate[] {
  if (options.length === 0) return [{ value: `${name}=`, description }]
  return options.map((option) => ({ value: `${name}=${option}`, description }))
}
