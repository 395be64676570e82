import { Command } from 'commander'
import * as client from '../client/program.ts'
import { addCompletionCommand, addCompleteCommand } from '../completion/program.ts'
import type { DevFlags } from '../dev/dev.ts'
import type { GatewayFlags } from '../gateway/gateway.ts'
import type { LintFlags } from '../runbooks/lint.ts'
import type { ServiceAction, ServiceFlags } from '../service/service.ts'
import type { StatusFlags } from '../status/status.ts'
import { refuseUnknownCommands } from './unknown-command.ts'
import { version } from '../version.ts'

/** Adds a command to the root; those with the agent's flags load its settings for it. */
type AddCommand = (root: Command) => unknown

/** In the order in which the help shows them. */
const COMMANDS: Readonly<Record<string, AddCommand>> = {
  start: async (root) => (await import('./agent-commands.ts')).addStartCommand(root),
  gateway: addGatewayCommand,
  dev: addDevCommand,
  login: client.addLoginCommand,
  logout: client.addLogoutCommand,
  use: client.addUseCommand,
  run: client.addRunCommand,
  exec: client.addExecCommand,
  connect: client.addConnectCommand,
  sessions: client.addSessionCommands,
  batches: async (root) => (await import('../client/batches/program.ts')).addBatchCommands(root),
  reviews: async (root) => (await import('../client/reviews/program.ts')).addReviewCommands(root),
  schedules: async (root) => (await import('../client/schedules/program.ts')).addScheduleCommands(root),
  webhooks: async (root) => (await import('../client/webhooks/program.ts')).addWebhookCommands(root),
  runbooks: addRunbookCommands,
  connections: async (root) => (await import('../client/directory/program.ts')).addConnectionCommands(root),
  agents: async (root) => (await import('../client/directory/program.ts')).addAgentCommands(root),
  user: async (root) => (await import('../client/identities/program.ts')).addUserCommands(root),
  token: async (root) => (await import('../client/identities/program.ts')).addTokenCommands(root),
  backup: client.addBackupCommand,
  restore: addRestoreCommand,
  history: async (root) => (await import('../history/program.ts')).addHistoryCommands(root),
  audit: async (root) => (await import('../client/audit/program.ts')).addAuditCommands(root),
  doctor: async (root) => (await import('./agent-commands.ts')).addDoctorCommand(root),
  'doctor-trial': addTrialCommand,
  status: addStatusCommand,
  config: async (root) => (await import('../config/program.ts')).addConfigCommands(root),
  service: addServiceCommands,
  policy: async (root) => (await import('../policy/program.ts')).addPolicyCommands(root),
  migrate: async (root) => (await import('../migrate/program.ts')).addMigrateCommands(root),
  completion: addCompletionCommand,
  complete: addCompleteCommand,
  version: addVersionCommand,
}

/** Commands that look at the others, or at what other commands there are. */
const NEEDS_ALL = ['complete']

/**
 * The program, with the command of this name alone: to make all of them takes longer than most commands do. With
 * another word, or none, it has all, for the help, the default, and the right name of what was misspelt.
 */
export async function program(word: string | undefined): Promise<Command> {
  const root = new Command('runbook-agent')
    .description(
      'Runs hoop.dev runbooks beside your databases: an executor agent, a gateway, and a command line for people.',
    )
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(--help shows the options)')
  const isOne = word !== undefined && Object.hasOwn(COMMANDS, word) && !NEEDS_ALL.includes(word)
  for (const [name, add] of Object.entries(COMMANDS)) if (!isOne || name === word) await add(root)
  return refuseUnknownCommands(root)
}

function addGatewayCommand(root: Command): void {
  root
    .command('gateway')
    .description('the embedded gateway alone')
    .requiredOption('--config <file>', 'gateway.yaml')
    .option('--check', 'say what would keep it from starting or working, and start nothing')
    .option('--json', 'print one machine-readable line when ready, or the findings of --check')
    .action(async (flags: GatewayFlags) => {
      if (flags.check !== true) return (await import('../gateway/gateway.ts')).gatewayCommand(flags)
      process.exit(await (await import('../gateway/check.ts')).checkGatewayCommand(flags))
    })
}

function addDevCommand(root: Command): void {
  root
    .command('dev')
    .description('gateway, agent and example runbooks on this machine')
    .option('--http <address>', 'REST address, for example 127.0.0.1:8009')
    .option('--grpc <address>', 'agent address, for example 127.0.0.1:8010')
    .option('--state <folder>', 'where token, keys, settings and history are kept', 'state')
    .option('--json', 'print one machine-readable line when ready')
    .action(async (flags: DevFlags) => (await import('../dev/dev.ts')).devCommand(flags))
}

function addTrialCommand(root: Command): void {
  root
    .command('doctor-trial', { hidden: true })
    .action(async () => (await import('../doctor/trial/trial.ts')).trialCommand())
}

function addStatusCommand(root: Command): void {
  root
    .command('status')
    .description('what the agents running on this machine say of themselves')
    .option('--json', 'print JSON')
    .option('--socket <path>', 'ask only this one')
    .action(async (flags: StatusFlags) => {
      const { statusCommand } = await import('../status/status.ts')
      const { socketPaths } = await import('../status/socket-paths.ts')
      process.exit(await statusCommand(flags, socketPaths))
    })
}

async function addRunbookCommands(root: Command): Promise<void> {
  const { addRunbookDirectory } = await import('../client/directory/program.ts')
  const runbooks = root.command('runbooks').description('those of a gateway, and a check for their authors')
  addRunbookDirectory(refuseUnknownCommands(runbooks))
  runbooks
    .command('lint [path]')
    .description(
      'names every parameter that can become code: in a runbook, or all below a folder (default .)',
    )
    .option('--portable', 'count as guarded only what a hoop gateway enforces too')
    .option('--strict', 'exit with 65 for what is not judged, too')
    .option('--json', 'print JSON')
    .action(async (path: string | undefined, flags: LintFlags) => {
      process.exitCode = (await import('../runbooks/lint.ts')).lintCommand(path ?? '.', flags)
    })
}

function addServiceCommands(root: Command): void {
  const service = root.command('service').description('the agent, or the gateway, as a service of systemd')
  const actions = {
    install: 'write the unit and start it',
    uninstall: 'stop and remove it',
    print: 'show the unit',
  }
  for (const [action, description] of Object.entries(actions) as [ServiceAction, string][]) {
    service
      .command(action)
      .description(description)
      .option('--gateway', 'the embedded gateway instead of the agent')
      .option('--user', "for this user's own service manager")
      .option('--key-file <file>', 'file that holds the key of the agent')
      .option('--config <file>', 'gateway.yaml, with --gateway')
      .option('--run-as <user>', 'user of a system service (default runbook-agent or runbook-gateway)')
      .option('--allow-sudo', 'leave out what keeps commands from gaining rights')
      .option('--force', 'overwrite a unit that somebody else has written')
      .action(async (flags: ServiceFlags) =>
        (await import('../service/service.ts')).serviceCommand(action, flags),
      )
  }
}

function addRestoreCommand(root: Command): void {
  root
    .command('restore <file>')
    .description("a gateway's state folder from a backup: an empty one, or one that does not exist yet")
    .requiredOption('--state <folder>', 'the folder, state in gateway.yaml')
    .action(async (file: string, flags: { state: string }) =>
      (await import('../backup/restore.ts')).restoreCommand(file, flags),
    )
}

function addVersionCommand(root: Command): void {
  root
    .command('version')
    .description('print the version')
    .action(() => void process.stdout.write(`${version}\n`))
}
