import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { profileNames } from '../../client/account/account-file.ts'
import { oneLine } from '../../basics/text/printable.ts'
import { accountFile, readAccount } from '../client/asking/account.ts'
import { type Candidate, type CandidateSources, complete } from './candidates.ts'
import { FILES } from './scripts.ts'
import type { Account } from '../../client/account/account.ts'
import { fetchConnectionNames } from '../../client/rest/connections.ts'
import { call } from '../../client/rest/call.ts'
import { reviewContract } from '../../contract/reviews.ts'
import { fetchCatalog, fetchRunbooks, type Parameter } from '../../client/rest/runbooks.ts'
import { listSessions } from '../../client/rest/sessions.ts'

/** Longest wait of the shell: a name lookup that hangs cannot be stopped. */
const LONGEST_MS = 2000

/**
 * @param words up to the cursor, the last one unfinished
 * @returns the exit code
 */
export async function printCandidates(root: Command, words: readonly string[]): Promise<number> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const sources = gatewaySources(
    () => readAccount(profileIn(before)),
    () => profileNames(accountFile()),
  )
  const completed = complete(root, before, current, sources)
  const found = await Promise.race([completed, delay(LONGEST_MS, [], { ref: false })])
  process.stdout.write(found === 'files' ? `${FILES}\n` : found.filter(isPlain).map(line).join(''))
  return 0
}

/** The value of `--profile` before the cursor: its gateway is asked for names. */
function profileIn(words: readonly string[]): string | undefined {
  const at = words.lastIndexOf('--profile')
  if (at >= 0) return words[at + 1]
  return words.findLast((word) => word.startsWith('--profile='))?.slice('--profile='.length)
}

/** Whether a shell takes the value as one plain word. Other values are not offered. */
function isPlain({ value }: Candidate): boolean {
  return value !== '' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
}

function line({ value, description }: Candidate): string {
  const what = oneLine(description)
  return what === '' ? `${value}\n` : `${value}\t${what}\n`
}

/** Short, because a person has pressed Tab and waits. */
const DEADLINE_MS = 1500
const SESSIONS = 30

/**
 * Asks the gateway of a profile that the user is signed in to. If anything goes wrong, there are no candidates, and no
 * message.
 */
function gatewaySources(findAccount: () => Account, findProfiles: () => readonly string[]): CandidateSources {
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
    sessions: () => asking((account) => sessionCandidates(account, signal)),
    allRunbooks: () =>
      asking(async (account) => {
        const { entries = [] } = (await fetchCatalog(account, undefined, signal)) ?? {}
        return entries.map(({ runbook }) => named(runbook.name))
      }),
    reviews: () => asking((account) => reviewCandidates(account, signal)),
    profiles: () => findProfiles().map(named),
  }
}

async function sessionCandidates(account: Account, signal: AbortSignal): Promise<readonly Candidate[]> {
  const { sessions } = await listSessions(account, { limit: SESSIONS }, signal)
  return sessions.map(({ id, connection, status, startedAt }) => ({
    value: id,
    description: `${connection} ${status} ${startedAt}`,
  }))
}

async function reviewCandidates(account: Account, signal: AbortSignal): Promise<readonly Candidate[]> {
  const reviews = await call(account, reviewContract.list, {}, { signal })
  return reviews.map(({ id, status, created_at: at }) => ({
    value: id,
    description: `${status.toLowerCase()} ${at}`,
  }))
}

/**
 * Whether a value can be offered: a leading `-` would make it a flag, and FILES has a meaning for the shells' scripts.
 */
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
