import type { Command } from 'commander'

/** Of what commands that list print. */
export const LISTED = 'a table on a terminal, else JSON'

/** Every command that asks a gateway has it. */
export function withProfile(command: Command): Command {
  return command.option('--profile <name>', 'profile to use (default: the selected one)')
}

/** What the help shows below the options. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

/** The values of a flag that may be repeated. */
export function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** A command that lists things, which its parent does without a word. */
export function listOf(parent: Command, description: string, example: string): Command {
  return withProfile(parent.command('list', { isDefault: true }).description(`${description}: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples(example))
}
