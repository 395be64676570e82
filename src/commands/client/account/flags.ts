import type { Command } from 'commander'

/** Of what commands that list print. */
export const LISTED = 'a table on a terminal, else JSON'

/** Every command that asks a gateway has it. */
export function withProfile(command: Command): Command {
  return command.option('--profile <name>', 'for this gateway of several (login --profile)')
}

/** What the help shows below the options. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

/** The values of a flag that may be repeated. */
export function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}
