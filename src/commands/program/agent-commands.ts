import type { Command } from 'commander'
import { withAgentFlags } from './agent-flags.ts'
import type { Flags } from '../start/settings.ts'

/** The agent. Its flags are its settings. */
export function addStartCommand(root: Command): void {
  withAgentFlags(
    root.command('start').description('the agent: connects to a gateway and serves until told to stop'),
  ).action(async (flags: Flags) => (await import('../start/start.ts')).startCommand(flags))
}

/** Looks at what an agent with these settings would be, and disturbs none. */
export function addDoctorCommand(root: Command): void {
  withAgentFlags(root.command('doctor').description('tests everything the agent needs, disturbs nothing'))
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      // Exits at once: a name lookup that hangs would keep the process alive.
      process.exit(await (await import('../doctor/doctor.ts')).doctorCommand(flags))
    })
}
