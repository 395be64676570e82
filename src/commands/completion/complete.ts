import { setTimeout as delay } from 'node:timers/promises'
import type { Command, Option } from 'commander'
import { oneLine } from '../../basics/text/printable.ts'
import { profileNames } from '../../client/account/account-file.ts'
import type { Account } from '../../client/account/account.ts'
import { call } from '../../client/rest/call.ts'
import { fetchChoices } from '../../client/rest/choices.ts'
import { fetchConnectionNames } from '../../client/rest/connections.ts'
import { fetchCatalog, fetchRunbooks, type Parameter } from '../../client/rest/runbooks.ts'
import { listSessions } from '../../client/rest/sessions.ts'
import { reviewContract } from '../../contract/reviews.ts'
import { accountFile, readAccount } from '../client/asking/account.ts'
import { FILES } from './scripts.ts'

/** Maximum time for which the shell waits. This also limits a name lookup, which cannot be aborted. */
const MAX_MS = 2000

/** @param words the words up to the cursor. The last word is unfinished */
export async function printCandidates(root: Command, words: readonly string[]): Promise<number> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const sources = gatewaySources(
    { before, current },
    () => readAccount(profileIn(before)),
    () => profileNames(accountFile()),
  )
  const completed = complete(root, before, current, sources)
  const found = await Promise.race([completed, delay(MAX_MS, [], { ref: false })])
  process.stdout.write(found === 'files' ? `${FILES}\n` : found.filter(isPlain).map(line).join(''))
  return 0
}

/** Returns the value of `--profile` before the cursor. Names come from the gateway of this profile. */
function profileIn(words: readonly string[]): string | undefined {
  const at = words.lastIndexOf('--profile')
  if (at >= 0) return words[at + 1]
  return words.findLast((word) => word.startsWith('--profile='))?.slice('--profile='.length)
}

/** Whether a shell accepts the value as one plain word. */
function isPlain({ value }: Candidate): boolean {
  return value !== '' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
}

function line({ value, description }: Candidate): string {
  const what = oneLine(description)
  return what === '' ? `${value}\n` : `${value}\t${what}\n`
}

/** Maximum time for all requests to the gateway. It is short, because a user has pressed Tab and waits. */
const DEADLINE_MS = 1500
const SESSIONS = 30

/**
 * Makes the sources. After any error, for example if the user has not signed in, they return no candidates
 * and show no message.
 */
function gatewaySources(
  typed: TypedWords,
  findAccount: () => Account,
  findProfiles: () => readonly string[],
): CandidateSources {
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
        const parameters = runbooks.find(({ name }) => name === file)?.parameters ?? []
        const listed = parameters.find(
          ({ name, optionsFrom }) => optionsFrom !== undefined && typed.current.startsWith(`${name}=`),
        )
        if (listed === undefined) return parameters.flatMap(assignments)
        const of = givenValue(typed.before, listed.optionsFrom?.of)
        const asked = { connection, file, parameter: listed.name, of, isCached: true }
        const choices = await fetchChoices(account, asked, signal)
        return choices.map(({ value, label }) => ({ value: `${listed.name}=${value}`, description: label }))
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
  return sessions.map(({ id, connection, status, start_date: begin }) => ({
    value: id,
    description: `${connection} ${status} ${begin}`,
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
 * Whether the value is a name. A leading `-` would make it a flag, and FILES has a meaning for the shells'
 * scripts.
 */
function isName({ value }: Candidate): boolean {
  return value !== FILES && !value.startsWith('-')
}

function named(value: string): Candidate {
  return { value, description: '' }
}

interface TypedWords {
  readonly before: readonly string[]
  readonly current: string
}

/** Returns the value that an earlier `-p` gives to the parameter. */
function givenValue(words: readonly string[], parameter: string | undefined): string | undefined {
  if (parameter === undefined) return undefined
  const given = words.findLast(
    (word, at) => word.startsWith(`${parameter}=`) && ['-p', '--param'].includes(words[at - 1] ?? ''),
  )
  return given?.slice(parameter.length + 1)
}

function assignments({ name, description, options }: Parameter): Candidate[] {
  if (options.length === 0) return [{ value: `${name}=`, description }]
  return options.map((option) => ({ value: `${name}=${option}`, description }))
}

interface Candidate {
  readonly value: string
  readonly description: string
}

/** Each source returns no candidates if the gateway does not answer in time. */
interface CandidateSources {
  readonly connections: () => Promise<readonly Candidate[]>
  readonly runbooks: (connection: string) => Promise<readonly Candidate[]>
  /** Returns `name=`, or `name=value` for a parameter with options. */
  readonly parameters: (connection: string, file: string) => Promise<readonly Candidate[]>
  readonly sessions: () => Promise<readonly Candidate[]>
  /** Returns all runbooks that the user may run on at least one connection. */
  readonly allRunbooks: () => Promise<readonly Candidate[]>
  readonly reviews: () => Promise<readonly Candidate[]>
  /** Returns the profiles on this machine, for which no gateway is needed. */
  readonly profiles: () => readonly Candidate[]
}

/** `files` means that the shell should complete file names. */
type Completion = 'files' | readonly Candidate[]

async function complete(
  root: Command,
  words: readonly string[],
  current: string,
  sources: CandidateSources,
): Promise<Completion> {
  const found = await atPosition(positionOf(root, words, current), sources)
  return found === 'files' ? found : found.filter(({ value }) => value.startsWith(current))
}

async function atPosition(position: WordPosition, sources: CandidateSources): Promise<Completion> {
  switch (position.kind) {
    case 'command':
      return visible(position.command).map((one) => ({ value: one.name(), description: one.description() }))
    case 'flag':
      return flags(position.command)
    case 'value':
      return values(position, sources)
    case 'operand':
      return operands(position, sources)
    case 'unknown':
      return 'files'
  }
}

/** Returns the commands without `help`, which every command has. */
function visible(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help')
}

function flags(command: Command): Candidate[] {
  const options = command.createHelp().visibleOptions(command)
  return options.map(({ long, short, description }) => ({ value: long ?? short ?? '', description }))
}

async function values(
  { option, operands: [connection, file] }: Extract<WordPosition, { kind: 'value' }>,
  sources: CandidateSources,
): Promise<Completion> {
  if (option.argChoices !== undefined) return plain(option.argChoices)
  if (option.long === '--connection') return sources.connections()
  if (option.long === '--runbook') return sources.allRunbooks()
  if (option.long === '--profile') return sources.profiles()
  if (option.long === '--param')
    return connection === undefined || file === undefined ? [] : sources.parameters(connection, file)
  return /<.*(file|folder|path|pem)\b.*>/.test(option.flags) ? 'files' : []
}

async function operands(
  { command, operands: before }: Extract<WordPosition, { kind: 'operand' }>,
  sources: CandidateSources,
): Promise<Completion> {
  const { registeredArguments } = command
  const argument = registeredArguments[before.length]
  if (argument?.argChoices !== undefined) return plain(argument.argChoices)
  switch (argument?.name()) {
    case 'connection':
      return sources.connections()
    case 'file':
      return sources.runbooks(before[0] ?? '')
    case 'id':
      return sources.sessions()
    case 'runbook':
      return sources.allRunbooks()
    case 'review':
      return sources.reviews()
    case 'profile':
      return sources.profiles()
    case 'path':
      return 'files'
    default:
      return []
  }
}

function plain(texts: readonly string[]): Candidate[] {
  return texts.map((value) => ({ value, description: '' }))
}

type WordPosition =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'flag'; readonly command: Command }
  | {
      readonly kind: 'value'
      readonly command: Command
      readonly option: Option
      readonly operands: readonly string[]
    }
  | { readonly kind: 'operand'; readonly command: Command; readonly operands: readonly string[] }
  /** The cursor is after `--`. */
  | { readonly kind: 'unknown' }

/**
 * @param words between the program's name and the cursor
 * @param current the typed part of the word at the cursor
 */
function positionOf(root: Command, words: readonly string[], current: string): WordPosition {
  let command = root
  const operands: string[] = []
  let option: Option | undefined
  for (const word of words) {
    if (option !== undefined) {
      option = undefined
    } else if (word === '--') {
      return { kind: 'unknown' }
    } else if (word.startsWith('-') && word !== '-') {
      option = valueWanted(command, word)
    } else {
      const next = operands.length === 0 ? subcommand(command, word) : undefined
      if (next === undefined) operands.push(word)
      else command = next
    }
  }
  if (option !== undefined) return { kind: 'value', command, option, operands }
  if (current.startsWith('-')) return { kind: 'flag', command }
  if (command.commands.length > 0 && operands.length === 0) return { kind: 'command', command }
  return { kind: 'operand', command, operands }
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((one) => one.name() === word)
}

/** Returns the option whose value the next word is. `--flag=value` already has its value. */
function valueWanted(command: Command, word: string): Option | undefined {
  const option = command.options.find(({ short, long }) => short === word || long === word)
  return option !== undefined && (option.required || option.optional) ? option : undefined
}
