import type { Command } from 'commander'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { examples, listOf, withProfile } from '../account/flags.ts'
import type { ScheduleFlags } from './schedules.ts'

/** What runs by itself. */
export function addScheduleCommands(root: Command): void {
  const schedules = refuseUnknownCommands(
    root.command('schedules').description('runbooks that run by themselves; gateway.yaml has them'),
  )
  addReading(schedules)
  addChanging(schedules)
}

function addReading(schedules: Command): void {
  const load = () => import('./schedules.ts')
  listOf(schedules, 'all that you may see', 'runbook-agent schedules').action(async (flags: AskingFlags) =>
    process.exit(await (await load()).schedulesCommand(flags)),
  )
  withProfile(schedules.command('show').description('one, with its last runs, and why one was skipped'))
    .argument('<schedule>', 'its name')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent schedules show nightly'))
    .action(async (name: string, flags: AskingFlags) =>
      process.exit(await (await load()).scheduleCommand(name, flags)),
    )
}

function addChanging(schedules: Command): void {
  const load = () => import('./schedules.ts')
  changing(schedules, 'run', 'run it now, and print its session').action(
    async (name: string, flags: ScheduleFlags) =>
      process.exit(await (await load()).runScheduleCommand(name, flags)),
  )
  changing(schedules, 'pause', 'let it not run by itself').action(
    async (name: string, flags: ScheduleFlags) =>
      process.exit(await (await load()).pauseCommand(name, true, flags)),
  )
  changing(schedules, 'resume', 'let it run by itself again').action(
    async (name: string, flags: ScheduleFlags) =>
      process.exit(await (await load()).pauseCommand(name, false, flags)),
  )
}

function changing(schedules: Command, word: string, description: string): Command {
  return withProfile(schedules.command(word).description(description))
    .argument('<schedule>', 'its name')
    .option('--quiet', 'print nothing but errors, and the session')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', examples(`runbook-agent schedules ${word} nightly`))
}
