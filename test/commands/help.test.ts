import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { withoutAliases } from '../../src/commands/program/aliases.ts'
import { product } from '../../src/commands/program/gateway-product.ts'
import { program } from '../../src/commands/program/program.ts'

it('no option in the help has two defaults', async () => {
  const texts = optionsOf(await program(undefined, product))
  expect(texts).toContainEqual(expect.stringContaining('--limits-sessions'))
  expect(texts.filter((text) => text.split('(default').length > 2)).toEqual([])
})

it('only the command that prints a session says so of --quiet', async () => {
  const schedules = (await program('schedules', product)).commands.find(
    (command) => command.name() === 'schedules',
  )
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

it.each([
  'session',
  'batch',
  'review',
  'runbook',
  'connection',
  'agent',
  'schedule',
  'webhook',
  'tokens',
  'users',
])('the help knows the other name %s, and does not show it', async (word) => {
  const [name = ''] = withoutAliases([word])
  expect(withoutAliases(['help', word, word])).toEqual(['help', name, word])
  expect(withoutAliases([name, word])).toEqual([name, word])
  expect((await program(name, product)).commands.map((command) => command.name())).toEqual([name])
  expect((await program(undefined, product)).helpInformation()).not.toMatch(new RegExp(`^  ${word}[ |]`, 'm'))
})

function optionsOf(command: Command): string[] {
  const help = command.createHelp()
  const own = command.options.map(
    (option) => `${command.name()} ${option.long ?? ''}: ${help.optionDescription(option)}`,
  )
  return [...own, ...command.commands.flatMap(optionsOf)]
}
