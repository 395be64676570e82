import type { AskingFlags } from '../client/asking/asking.ts'
import type { DevFlags } from '../dev/dev.ts'
import type { GatewayFlags } from '../gateway/gateway.ts'
import type { MigrateHoopFlags } from '../migrate/migrate-hoop.ts'
import {
  JSON_OPTION,
  LISTED,
  option,
  PROFILE,
  required,
  TOKEN_FILE,
  type CommandGroup,
  type CommandRow,
} from './command.ts'

export const gateway: CommandRow = {
  name: 'gateway',
  does: 'Start the embedded gateway',
  options: [
    required('--config <file>', 'settings file of the gateway (gateway.yaml)'),
    option(
      '--check',
      'check what the gateway needs, print the findings and exit; the gateway is not started',
    ),
    option(
      '--json',
      'print one line of JSON when the gateway is ready; with --check: print the findings as JSON',
    ),
  ],
  examples: [
    'runbook-agent gateway --config gateway.yaml --check',
    'runbook-agent gateway --config gateway.yaml',
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
    option(
      '--http <address>',
      'REST address, as host:port or port (default: the address in the state folder; at the first start 127.0.0.1:8009)',
    ),
    option(
      '--grpc <address>',
      'address for agents, as host:port or port (default: the address in the state folder; at the first start 127.0.0.1:8010)',
    ),
    option(
      '--state <folder>',
      'state folder, which contains the token, the keys, the settings and the history',
      'state',
    ),
    option('--json', 'print one line of JSON when the gateway is ready'),
  ],
  examples: ['runbook-agent dev', 'runbook-agent dev --http 0 --grpc 0 --state /tmp/trial'],
  run: async (flags: DevFlags) => (await import('../dev/dev.ts')).devCommand(flags),
}

export const backup: CommandRow = {
  name: 'backup <file>',
  does: 'Back up the state of a running gateway to a file',
  options: [PROFILE, JSON_OPTION],
  examples: ['runbook-agent backup gateway-2026-01-31.backup'],
  run: async (file: string, flags: AskingFlags) => (await import('../backup.ts')).backupCommand(file, flags),
}

export const restore: CommandRow = {
  name: 'restore <file>',
  does: 'Restore the state of a gateway from a backup file',
  options: [required('--state <folder>', 'state folder of the gateway; the folder must be new or empty')],
  examples: ['runbook-agent restore gateway-2026-01-31.backup --state state'],
  run: async (file: string, flags: { state: string }) =>
    (await import('../backup.ts')).restoreCommand(file, flags),
}

const OF_GATEWAY = required(
  '--config <file>',
  'settings file of the gateway (gateway.yaml), which names its state folder',
)

export const history: CommandGroup = {
  name: 'history',
  does: 'Repair or take over the history of a stopped gateway',
  commands: [
    {
      name: 'reset-clock',
      does: 'Reset the clock by which the gateway lets tokens expire (use it after the machine had a wrong time)',
      options: [OF_GATEWAY],
      examples: ['runbook-agent history reset-clock --config gateway.yaml'],
      run: async (flags: { config: string }) => (await import('../history.ts')).resetClockCommand(flags),
    },
    {
      name: 'take-over',
      does: 'Make this copy of the state the valid one, for agents that have met a gateway on another copy',
      options: [OF_GATEWAY],
      examples: ['runbook-agent history take-over --config gateway.yaml'],
      run: async (flags: { config: string }) => (await import('../history.ts')).takeOverCommand(flags),
    },
    {
      name: 'repair',
      does: 'Copy the readable records of a damaged history into a new history, and list the lost records',
      options: [OF_GATEWAY],
      examples: ['runbook-agent history repair --config gateway.yaml'],
      run: async (flags: { config: string }) => (await import('../history.ts')).repairCommand(flags),
    },
  ],
}

export const migrate: CommandGroup = {
  name: 'migrate',
  does: 'Copy the settings of an embedded gateway to another gateway',
  commands: [
    {
      name: 'hoop',
      does: `Copy the settings of an embedded gateway to a hoop gateway; print the changes ${LISTED}`,
      options: [
        PROFILE,
        required('--config <file>', 'settings file (gateway.yaml) of the embedded gateway'),
        option('--to <url>', 'REST address of the hoop gateway (default: the address of the profile)'),
        TOKEN_FILE,
        option('--apply', 'write the changes (default: only print the changes)'),
        option(
          '--agent-keys <folder>',
          "folder for the agents' new keys; each key is written to a file of its own, mode 0600",
        ),
        option(
          '--access-control',
          "switch on hoop's access control; connections that are limited to groups need access control",
        ),
        option('--secrets', 'write all secrets again, because hoop does not show which secrets differ'),
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
