#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { printableText } from './basics/text/printable.ts'
import { addClientCommands } from './commands/client/program.ts'
import { addCompletionCommands } from './commands/completion/program.ts'
import { withAgentFlags } from './commands/agent-flags.ts'
import { addConfigCommands } from './commands/config/program.ts'
import type { DevFlags } from './commands/dev/dev.ts'
import { exitCodes, Failure } from './commands/failure.ts'
import type { ServiceAction, ServiceFlags } from './commands/service/service.ts'
import { socketPaths } from './commands/status/socket-paths.ts'
import type { StatusFlags } from './commands/status/status.ts'
import type { GatewayFlags } from './commands/gateway.ts'
import type { LintFlags } from './commands/runbooks/lint.ts'
import { refuseUnknownCommands } from './commands/unknown-command.ts'
import { version } from './commands/version.ts'

/** Each command is loaded when it is run: the agent starts without the gateway's code. */
function program(): Command {
  const root = new Command('runbook-agent')
    .description(
      'Runs hoop.dev runbooks beside your databases: an executor agent, a gateway, and a command line for people.',
    )
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(--help shows the options)')
  withAgentFlags(
    root
      .command('start', { isDefault: true })
      .description('the agent: connects to a gateway and serves until told to stop'),
  ).action(async (flags: AgentFlags) => (await import('./commands/start/start.ts')).startCommand(flags))
  root
    .command('gateway')
    .description('the embedded gateway alone')
    .requiredOption('--config <file>', 'gateway.yaml')
    .option('--json', 'print one machine-readable line when ready')
    .action(async (flags: GatewayFlags) => (await import('./commands/gateway.ts')).gatewayCommand(flags))
  root
    .command('dev')
    .description('gateway, agent and example runbooks on this machine')
    .option('--http <address>', 'REST address, for example 127.0.0.1:8009')
    .option('--grpc <address>', 'agent address, for example 127.0.0.1:8010')
    .option('--state <folder>', 'where token, keys, settings and history are kept', 'state')
    .option('--json', 'print one machine-readable line when ready')
    .action(async (flags: DevFlags) => (await import('./commands/dev/dev.ts')).devCommand(flags))
  addClientCommands(root)
  addOperatorCommands(root)
  addCompletionCommands(root)
  root
    .command('version')
    .description('print the version')
    .action(() => void process.stdout.write(`${version}\n`))
  return refuseUnknownCommands(root)
}

type AgentFlags = Readonly<Record<string, string | boolean>>

/** Commands that look at an agent, or at what it would do, and disturb none. */
function addOperatorCommands(root: Command): void {
  const json = ['--json', 'print JSON'] as const
  withAgentFlags(root.command('doctor').description('tests everything the agent needs, disturbs nothing'))
    .option(...json)
    .action(async (flags: AgentFlags) => {
      // Exits at once: a name lookup that hangs would keep the process alive.
      process.exit(await (await import('./commands/doctor/doctor.ts')).doctorCommand(flags))
    })
  root
    .command('doctor-trial', { hidden: true })
    .action(async () => (await import('./commands/doctor/trial/trial.ts')).trialCommand())
  root
    .command('status')
    .description('what the agents running on this machine say of themselves')
    .option(...json)
    .option('--socket <path>', 'ask only this one')
    .action(async (flags: StatusFlags) => {
      const { statusCommand } = await import('./commands/status/status.ts')
      process.exit(await statusCommand(flags, socketPaths))
    })
  addConfigCommands(root)
  addServiceCommands(root.command('service').description('the agent as a service of systemd'))
  addRunbookCommands(root.command('runbooks').description('for authors of runbooks'))
}

function addRunbookCommands(runbooks: Command): void {
  runbooks
    .command('lint [path]')
    .description(
      'names every parameter that can become code: in a runbook, or all below a folder (default .)',
    )
    .option('--portable', 'count as guarded only what a hoop gateway enforces too')
    .option('--json', 'print JSON')
    .action(async (path: string | undefined, flags: LintFlags) => {
      process.exitCode = (await import('./commands/runbooks/lint.ts')).lintCommand(path ?? '.', flags)
    })
}

function addServiceCommands(service: Command): void {
  const actions = {
    install: 'write the unit and start it',
    uninstall: 'stop and remove it',
    print: 'show the unit',
  }
  for (const [action, description] of Object.entries(actions) as [ServiceAction, string][]) {
    service
      .command(action)
      .description(description)
      .option('--user', "for this user's own service manager")
      .option('--key-file <file>', 'file that holds the key')
      .option('--run-as <user>', 'user of a system service (default runbook-agent)')
      .option('--allow-sudo', 'leave out what keeps commands from gaining rights')
      .option('--force', 'overwrite a unit that somebody else has written')
      .action(async (flags: ServiceFlags) =>
        (await import('./commands/service/service.ts')).serviceCommand(action, flags),
      )
  }
}

/** Prints an error: one line when a person can correct it, a stack only for a bug. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  if (error instanceof Failure) {
    // The message may contain names from a gateway, and a runbook's author can write anything into them.
    process.stderr.write(`runbook-agent: ${printableText(error.message)}\n`)
    if (process.argv.length === 2) process.stderr.write('(--help shows the commands; this was start)\n')
    return error.exitCode
  }
  process.stderr.write(
    `runbook-agent: this is a bug, please report it:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return exitCodes.bug
}

// Node opens its debugger on SIGUSR1, to every user of this machine; any script of a runbook could send it.
process.on('SIGUSR1', () => undefined)

try {
  await program().parseAsync()
  process.exitCode ??= exitCodes.done
} catch (error) {
  // Exits at once: whatever still runs belongs to a program that has failed.
  process.exit(report(error))
}
