import { Argument, CommanderError, Option, type Command } from 'commander'
import { didYouMean } from '../../basics/text/nearest.ts'

/** Describes a command for the help, the completion and the parser. */
export interface CommandRow {
  /** The name with its arguments, for example `show <id>`. */
  readonly name: string
  readonly does?: string
  readonly takes?: readonly Argument[]
  readonly options?: readonly Option[]
  readonly examples?: readonly string[]
  /** The group runs this command if the user names no command. */
  readonly isDefault?: boolean
  readonly isHidden?: boolean
  /** The exit code for wrong arguments (default: `exitCodes.usage`). */
  readonly wrongUse?: number
  /** Checks the words before the command runs. */
  readonly check?: (command: Command) => void
  /**
   * Loads the command's code by `import()`, so that other commands start without this code.
   * @returns the exit code or undefined. After an exit code, the program exits immediately, even with open
   * handles. After undefined, the program waits until all handles are closed.
   */
  readonly run: (...args: never[]) => unknown
}

/** Commands with the same first word, for example `sessions list` and `sessions show`. */
export interface CommandGroup {
  readonly name: string
  readonly does: string
  readonly commands: readonly CommandRow[]
}

export function addTo(parent: Command, row: CommandRow | CommandGroup): void {
  if ('commands' in row) {
    const group = parent.command(row.name).description(row.does)
    for (const one of row.commands) addTo(group, one)
    refuseUnknownCommands(group)
    return
  }
  const { name, does, takes = [], options = [], examples: lines, isDefault, isHidden, check } = row
  const command = parent.command(name, { isDefault: isDefault === true, hidden: isHidden === true })
  if (does !== undefined) command.description(does)
  for (const one of takes) command.addArgument(one)
  for (const one of options) command.addOption(one)
  if (lines !== undefined) command.addHelpText('after', examples(lines))
  if (row.wrongUse !== undefined) answersWith(command, row.wrongUse)
  if (check !== undefined) command.hook('preAction', check)
  command.action(async (...args: unknown[]) => {
    const code = await row.run(...(args as never[]))
    if (typeof code === 'number') process.exit(code)
  })
}

export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

function answersWith(command: Command, wrongUse: number): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommanderError(wrongUse, error.code, error.message)
  })
}

/**
 * Refuses an unknown command, and suggests the command that the user probably meant. Commander would pass the
 * unknown word to the default command, which would complain about too many arguments. For an unknown word,
 * Commander calls the hook only if the parent has a default command. Other parents get the event `command:*`.
 */
export function refuseUnknownCommands(parent: Command): Command {
  const refuse = (): void => refuseUnknown(parent)
  return parent.hook('preSubcommand', refuse).on('command:*', refuse)
}

function refuseUnknown(parent: Command): void {
  const [word] = parent.args
  const names = parent.commands.map((command) => command.name())
  if (word === undefined || word.startsWith('-') || [...names, 'help'].includes(word)) return
  const visible = parent
    .createHelp()
    .visibleCommands(parent)
    .map((command) => command.name())
  const meant = didYouMean(word, visible)
  parent.error(`error: unknown command '${word}'${meant === undefined ? '' : `\n(${meant})`}`, {
    code: 'commander.unknownCommand',
    exitCode: 1,
  })
}

export function takes(name: string, description?: string): Argument {
  return new Argument(name, description)
}

export function option(flags: string, description: string, byDefault?: string): Option {
  return new Option(flags, description).default(byDefault, byDefault)
}

export function required(flags: string, description: string): Option {
  return option(flags, description).makeOptionMandatory()
}

export function choice(
  flags: string,
  description: string,
  choices: readonly string[],
  byDefault?: string,
): Option {
  return option(flags, description, byDefault).choices(choices)
}

export function repeatable(flags: string, description: string): Option {
  return option(flags, description).argParser((value: string, before?: readonly string[]) => [
    ...(before ?? []),
    value,
  ])
}

export const JSON_OPTION = option('--json', 'print JSON')
/** For every command that lists something. */
export const FORMATS = [
  choice(
    '--format <format>',
    'print a table, JSON, or TSV, whose cells have escaped control characters (default: a table on a terminal, else JSON)',
    ['table', 'json', 'tsv'],
  ),
  option('--json', 'print JSON, like --format json'),
]
export const QUIET = option('--quiet', 'print only errors')
/** For every command that sends requests to a gateway. */
export const PROFILE = option('--profile <name>', 'profile to use (default: the selected profile)')
export const TOKEN_FILE = option(
  '--token-file <file>',
  'file that contains the token; - is standard input (default: ask on a terminal, otherwise read standard input)',
)
export const LIMIT = option('--limit <count>', 'maximum number of rows', '20')

/** @param things the listed things and the event whose time counts, for example `sessions that began` */
export function span(things: string): readonly Option[] {
  return [
    option(
      '--since <time>',
      `only ${things} after this time: 2h (two hours ago), 7d, 2026-01-31 or 2026-01-31T14:30`,
    ),
    option('--until <time>', `only ${things} before this time, in the form of --since`),
  ]
}

export const LISTED = 'as a table on a terminal, else as JSON'
