import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { program } from '../../src/commands/program/program.ts'

it('no option in the help has two defaults', async () => {
  const texts = optionsOf(await program(undefined))
  expect(texts).toContainEqual(expect.stringContaining('--limits-sessions'))
  expect(texts.filter((text) => text.split('(default').length > 2)).toEqual([])
})

it('only the command that prints a session says so of --quiet', async () => {
  const schedules = (await program('schedules')).commands.find((command) => command.name() === 'schedules')
  const quiet = schedules?.commands.flatMap((command) =>
    command.options
      .filter(({ long }) => long === '--quiet')
      .map(({ description }) => [command.name(), description]),
  )
  expect(quiet).toEqual([
    ['run', expect.stringContaining('session')],
    ['pause', 'print only errors'],
    ['resume', 'print only errors'],
  ])
})

function optionsOf(command: Command): string[] {
  const help = command.createHelp()
  const own = command.options.map(
    (option) => `${command.name()} ${option.long ?? ''}: ${help.optionDescription(option)}`,
  )
  return [...own, ...command.commands.flatMap(optionsOf)]
}
