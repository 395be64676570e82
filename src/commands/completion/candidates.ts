import type { Command } from 'commander'
import { positionOf, type WordPosition } from './position.ts'

export interface Candidate {
  readonly value: string
  readonly description: string
}

/** Sources that ask a gateway. Each returns nothing when no gateway answers in time. */
export interface CandidateSources {
  readonly connections: () => Promise<readonly Candidate[]>
  readonly runbooks: (connection: string) => Promise<readonly Candidate[]>
  /** `name=`, or `name=value` when the runbook has options. */
  readonly parameters: (connection: string, file: string) => Promise<readonly Candidate[]>
  readonly sessions: () => Promise<readonly Candidate[]>
  /** All runbooks that the user may run on some connection. */
  readonly allRunbooks: () => Promise<readonly Candidate[]>
  readonly reviews: () => Promise<readonly Candidate[]>
  /** The profiles on this machine: no gateway is asked. */
  readonly profiles: () => readonly Candidate[]
}

/** `files`: the shell completes file names itself. */
export type Completion = 'files' | readonly Candidate[]

/** The candidates at the cursor: everything that begins with the typed text. */
export async function complete(
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

/** The visible commands without `help`, which every command has. */
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
