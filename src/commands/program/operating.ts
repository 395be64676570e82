import type { AskingFlags } from '../client/asking/asking.ts'
import type { DevFlags } from '../dev/dev.ts'
import type { GatewayFlags } from '../gateway/gateway.ts'
import type { MigrateHoopFlags } from '../migrate/migrate-hoop.ts'
import type { ServiceFlags } from '../service/service.ts'
import type { StatusFlags } from '../status/status.ts'
import {
  JSON_OPTION,
  LISTED,
  option,
  PROFILE,
  required,
  type CommandGroup,
  type CommandRow,
} from './command.ts'

// Commands of the machine on which a gateway or an agent runs. Those with the agent's settings are in agent.ts.

export const gateway: CommandRow = {
  name: 'gateway',
  does: 'Start the embedded gateway',
  options: [
    required('--config <file>', 'gateway.yaml'),
    option('--check', 'print what would keep the gateway from starting or working, and exit'),
    option('--json', 'print one line of JSON when ready, or the findings of --check'),
  ],
  run: async (flags: GatewayFlags) =>
    flags.check === true
      ? (await import('../gateway/check.ts')).checkGatewayCommand(flags)
      : (await import('../gateway/gateway.ts')).gatewayCommand(flags),
}

export const dev: CommandRow = {
  name: 'dev',
  does: 'Start a gateway, an agent and example runbooks',
  options: [
    option('--http <address>', 'REST address, for example 127.0.0.1:8009'),
    option('--grpc <address>', 'address for agents, for example 127.0.0.1:8010'),
    option('--state <folder>', 'folder for token, keys, settings and history', 'state'),
    option('--json', 'print one line of JSON when ready'),
  ],
  run: async (flags: DevFlags) => (await import('../dev/dev.ts')).devCommand(flags),
}

export const backup: CommandRow = {
  name: 'backup <file>',
  does: "Back up a gateway's state while it serves",
  options: [PROFILE, option('--json', 'print what the backup holds as JSON')],
  examples: ['runbook-agent backup gateway-2026-01-31.backup'],
  run: async (file: string, flags: AskingFlags) => (await import('../backup.ts')).backupCommand(file, flags),
}

export const restore: CommandRow = {
  name: 'restore <file>',
  does: "Restore a gateway's state from a backup",
  options: [required('--state <folder>', 'state folder to fill; it is empty or does not exist')],
  run: async (file: string, flags: { state: string }) =>
    (await import('../backup.ts')).restoreCommand(file, flags),
}

const OF_GATEWAY = required('--config <file>', 'gateway.yaml, which names the state folder')

export const history: CommandGroup = {
  name: 'history',
  does: "Mend a gateway's history while no gateway runs on it",
  commands: [
    {
      name: 'reset-clock',
      does: 'Forget a wrong time that the gateway has seen, by which tokens expire',
      options: [OF_GATEWAY],
      run: async (flags: { config: string }) => (await import('../history.ts')).resetClockCommand(flags),
    },
    {
      name: 'repair',
      does: 'Copy the readable part of a damaged history into a new one, and list the losses',
      options: [OF_GATEWAY],
      run: async (flags: { config: string }) => (await import('../history.ts')).repairCommand(flags),
    },
  ],
}

export const migrate: CommandGroup = {
  name: 'migrate',
  does: 'Move an embedded gateway elsewhere',
  commands: [
    {
      name: 'hoop',
      does: `Copy an embedded gateway to a hoop gateway (dry run by default): ${LISTED}`,
      options: [
        PROFILE,
        required('--config <file>', 'gateway.yaml of the embedded gateway'),
        option(
          '--to <url>',
          'address of the hoop gateway; its token comes from --token-file, HOOP_TOKEN or a prompt',
        ),
        option('--token-file <file>', 'file that holds the token; - or no terminal: standard input'),
        option('--apply', 'write the changes (default: only print them)'),
        option('--agent-keys <folder>', "folder for the agents' new keys, one private file each"),
        option('--access-control', "switch on hoop's access control, if connections are limited to groups"),
        option('--secrets', 'write all secrets again: hoop does not show whether they differ'),
        JSON_OPTION,
      ],
      examples: [
        'runbook-agent migrate hoop --config gateway.yaml --to https://hoop.example',
        'runbook-agent migrate hoop --config gateway.yaml --profile hoop --apply --agent-keys keys',
      ],
      run: async (flags: MigrateHoopFlags) => {
        process.exitCode = await (await import('../migrate/migrate-hoop.ts')).migrateHoopCommand(flags)
      },
    },
  ],
}

export const status: CommandRow = {
  name: 'status',
  does: 'Show the agents that run on this machine',
  options: [JSON_OPTION, option('--socket <path>', 'status socket of one agent (default: all agents)')],
  run: async (flags: StatusFlags) => {
    const { statusCommand } = await import('../status/status.ts')
    const { socketPaths } = await import('../status/socket-paths.ts')
    return statusCommand(flags, socketPaths)
  },
}

/** The process in which doctor runs commands. */
export const doctorTrial: CommandRow = {
  name: 'doctor-trial',
  isHidden: true,
  run: async () => (await import('../doctor/trial/trial.ts')).trialCommand(),
}

const WHICH = [
  option('--gateway', 'the embedded gateway (default: the agent)'),
  option('--user', "use your own service manager instead of the system's"),
]
const UNIT = [
  option('--key-file <file>', "file that holds the agent's key"),
  option('--config <file>', 'gateway.yaml, with --gateway'),
  option('--run-as <user>', 'user of a system service (default: runbook-agent or runbook-gateway)'),
  option('--allow-sudo', 'omit the lines that keep commands from gaining privileges'),
]
const FORCE = option('--force', 'overwrite a unit that this program did not write')

const loadService = () => import('../service/service.ts')

export const service: CommandGroup = {
  name: 'service',
  does: 'Install the agent or the gateway as a systemd service',
  commands: [
    {
      name: 'install',
      does: 'Write the unit and start it',
      options: [...WHICH, ...UNIT, FORCE],
      run: async (flags: ServiceFlags) => (await loadService()).serviceCommand('install', flags),
    },
    {
      name: 'uninstall',
      does: 'Stop and remove the unit',
      options: [
        ...WHICH,
        option('--force', 'remove a unit that this program did not write, or whose service does not stop'),
      ],
      run: async (flags: ServiceFlags) => (await loadService()).serviceCommand('uninstall', flags),
    },
    {
      name: 'print',
      does: 'Print the unit',
      options: [...WHICH, ...UNIT],
      run: async (flags: ServiceFlags) => (await loadService()).serviceCommand('print', flags),
    },
  ],
}
