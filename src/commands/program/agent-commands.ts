import type { Command } from 'commander'
import { withAgentFlags } from './agent-flags.ts'
import type { Flags } from '../start/settings.ts'

/** The agent. Its flags are its settings. */
export function addStartCommand(root: Command): void {
  withAgentFlags(root.command('start').description('Start the agent: connect to a gateway and serve')).action(
    async (flags: Flags) => (await import('../start/start.ts')).startCommand(flags),
  )
}

/** Looks at what an agent with these settings would be, and disturbs none. */
export function addDoctorCommand(root: Command): void {
  withAgentFlags(root.command('doctor').description('Test everything the agent needs'))
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      // Exits at once: a name lookup that hangs would keep the process alive.
      process.exit(await (await import('../doctor/doctor.ts')).doctorCommand(flags))
    })
}
