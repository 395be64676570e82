import { Command } from 'commander'
import * as client from '../client/program.ts'
import { examples } from '../client/account/flags.ts'
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

/** The commands, by the headings below which the help shows them. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, AddCommand>>>> = {
  'Run and watch:': {
    run: client.addRunCommand,
    exec: client.addExecCommand,
    connect: client.addConnectCommand,
    sessions: client.addSessionCommands,
    batches: async (root) => (await import('../client/batches/program.ts')).addBatchCommands(root),
    reviews: async (root) => (await import('../client/reviews/program.ts')).addReviewCommands(root),
  },
  'Look up:': {
    runbooks: addRunbookCommands,
    connections: async (root) => (await import('../client/directory/program.ts')).addConnectionCommands(root),
    agents: async (root) => (await import('../client/directory/program.ts')).addAgentCommands(root),
    schedules: async (root) => (await import('../client/schedules/program.ts')).addScheduleCommands(root),
    webhooks: async (root) => (await import('../client/webhooks/program.ts')).addWebhookCommands(root),
    audit: async (root) => (await import('../client/audit/program.ts')).addAuditCommands(root),
  },
  'Sign in:': {
    login: client.addLoginCommand,
    logout: client.addLogoutCommand,
    use: client.addUseCommand,
    token: async (root) => (await import('../client/identities/program.ts')).addTokenCommands(root),
  },
  'Operate a gateway:': {
    gateway: addGatewayCommand,
    dev: addDevCommand,
    user: async (root) => (await import('../client/identities/program.ts')).addUserCommands(root),
    backup: client.addBackupCommand,
    restore: addRestoreCommand,
    history: async (root) => (await import('../history/program.ts')).addHistoryCommands(root),
    migrate: async (root) => (await import('../migrate/program.ts')).addMigrateCommands(root),
  },
  'Operate an agent:': {
    start: async (root) => (await import('./agent-commands.ts')).addStartCommand(root),
    doctor: async (root) => (await import('./agent-commands.ts')).addDoctorCommand(root),
    status: addStatusCommand,
    service: addServiceCommands,
    'doctor-trial': addTrialCommand,
  },
  'Settings and more:': {
    config: async (root) => (await import('../config/program.ts')).addConfigCommands(root),
    policy: async (root) => (await import('../policy/program.ts')).addPolicyCommands(root),
    completion: addCompletionCommand,
    complete: addCompleteCommand,
    version: addVersionCommand,
  },
}

const NAMES = new Set(Object.values(GROUPS).flatMap((commands) => Object.keys(commands)))

/** Commands that look at the others, or at what other commands there are. */
const NEEDS_ALL = ['complete']

/**
 * The program, with the command of this name alone: to make all of them takes longer than most commands do. With
 * another word, or none, it has all, for the help, the default, and the right name of what was misspelt.
 */
export async function program(word: string | undefined): Promise<Command> {
  const root = new Command('runbook-agent')
    .description(
      'Run hoop.dev runbooks beside your databases: an executor agent, a gateway and a command line.',
    )
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(--help shows the options)')
    .addHelpText(
      'after',
      examples(
        'runbook-agent dev',
        'runbook-agent login --api-url https://gateway.example',
        'runbook-agent run bash ops/hello.runbook.sh -p name=world',
        'runbook-agent sessions list --since 1d',
      ),
    )
  const isOne = word !== undefined && NAMES.has(word) && !NEEDS_ALL.includes(word)
  for (const [heading, commands] of Object.entries(GROUPS)) {
    root.commandsGroup(heading)
    for (const [name, add] of Object.entries(commands)) if (!isOne || name === word) await add(root)
  }
  return refuseUnknownCommands(root)
}

function addGatewayCommand(root: Command): void {
  root
    .command('gateway')
    .description('Start the embedded gateway')
    .requiredOption('--config <file>', 'gateway.yaml')
    .option('--check', 'print what would keep the gateway from starting or working, and exit')
    .option('--json', 'print one line of JSON when ready, or the findings of --check')
    .action(async (flags: GatewayFlags) => {
      if (flags.check !== true) return (await import('../gateway/gateway.ts')).gatewayCommand(flags)
      process.exit(await (await import('../gateway/check.ts')).checkGatewayCommand(flags))
    })
}

function addDevCommand(root: Command): void {
  root
    .command('dev')
    .description('Start a gateway, an agent and example runbooks')
    .option('--http <address>', 'REST address, for example 127.0.0.1:8009')
    .option('--grpc <address>', 'address for agents, for example 127.0.0.1:8010')
    .option('--state <folder>', 'folder for token, keys, settings and history', 'state')
    .option('--json', 'print one line of JSON when ready')
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
    .description('Show the agents that run on this machine')
    .option('--json', 'print JSON')
    .option('--socket <path>', 'status socket of one agent (default: all agents)')
    .action(async (flags: StatusFlags) => {
      const { statusCommand } = await import('../status/status.ts')
      const { socketPaths } = await import('../status/socket-paths.ts')
      process.exit(await statusCommand(flags, socketPaths))
    })
}

async function addRunbookCommands(root: Command): Promise<void> {
  const { addRunbookDirectory } = await import('../client/directory/program.ts')
  const runbooks = root.command('runbooks').description('List, show and check runbooks')
  addRunbookDirectory(refuseUnknownCommands(runbooks))
  runbooks
    .command('lint [path]')
    .description('Check which parameters of runbooks can become code')
    .option('--portable', 'count only rules that hoop gateways enforce as well')
    .option('--strict', 'exit with 65 also for parameters that are not judged')
    .option('--json', 'print JSON')
    .action(async (path: string | undefined, flags: LintFlags) => {
      process.exitCode = (await import('../runbooks/lint.ts')).lintCommand(path ?? '.', flags)
    })
}

function addServiceCommands(root: Command): void {
  const service = root.command('service').description('Install the agent or the gateway as a systemd service')
  const actions = {
    install: 'Write the unit and start it',
    uninstall: 'Stop and remove the unit',
    print: 'Print the unit',
  }
  for (const [action, description] of Object.entries(actions) as [ServiceAction, string][]) {
    service
      .command(action)
      .description(description)
      .option('--gateway', 'the embedded gateway (default: the agent)')
      .option('--user', "use your own service manager instead of the system's")
      .option('--key-file <file>', "file that holds the agent's key")
      .option('--config <file>', 'gateway.yaml, with --gateway')
      .option('--run-as <user>', 'user of a system service (default: runbook-agent or runbook-gateway)')
      .option('--allow-sudo', 'omit the lines that keep commands from gaining privileges')
      .option('--force', 'overwrite a unit that this program did not write')
      .action(async (flags: ServiceFlags) =>
        (await import('../service/service.ts')).serviceCommand(action, flags),
      )
  }
}

function addRestoreCommand(root: Command): void {
  root
    .command('restore <file>')
    .description("Restore a gateway's state from a backup")
    .requiredOption('--state <folder>', 'state folder to fill; it is empty or does not exist')
    .action(async (file: string, flags: { state: string }) =>
      (await import('../backup/restore.ts')).restoreCommand(file, flags),
    )
}

function addVersionCommand(root: Command): void {
  root
    .command('version')
    .description('Print the version')
    .action(() => void process.stdout.write(`${version}\n`))
}
