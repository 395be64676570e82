import type { Command } from 'commander'
import { exits } from '../../failure.ts'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { examples, listOf, withProfile } from '../account/flags.ts'
import type { ScheduleFlags } from './schedules.ts'

/** What runs by itself. */
export function addScheduleCommands(root: Command): void {
  const schedules = refuseUnknownCommands(
    root.command('schedules').description('List, pause and run schedules (they are set in gateway.yaml)'),
  )
  addReading(schedules)
  addChanging(schedules)
}

function addReading(schedules: Command): void {
  const load = () => import('./schedules.ts')
  listOf(schedules, 'List schedules', 'runbook-agent schedules').action(
    exits(async (flags: AskingFlags) => (await load()).schedulesCommand(flags)),
  )
  withProfile(schedules.command('show').description('Show a schedule and its last runs'))
    .argument('<schedule>', 'name of the schedule')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent schedules show nightly'))
    .action(exits(async (name: string, flags: AskingFlags) => (await load()).scheduleCommand(name, flags)))
}

function addChanging(schedules: Command): void {
  const load = () => import('./schedules.ts')
  changing(schedules, 'run', 'Run a schedule now and print its session').action(
    exits(async (name: string, flags: ScheduleFlags) => (await load()).runScheduleCommand(name, flags)),
  )
  changing(schedules, 'pause', 'Pause a schedule').action(
    exits(async (name: string, flags: ScheduleFlags) => (await load()).pauseCommand(name, true, flags)),
  )
  changing(schedules, 'resume', 'Resume a schedule').action(
    exits(async (name: string, flags: ScheduleFlags) => (await load()).pauseCommand(name, false, flags)),
  )
}

function changing(schedules: Command, word: string, description: string): Command {
  return withProfile(schedules.command(word).description(description))
    .argument('<schedule>', 'name of the schedule')
    .option('--quiet', 'print only errors and the session')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', examples(`runbook-agent schedules ${word} nightly`))
}
