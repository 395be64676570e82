import type { Option } from 'commander'
import * as v from 'valibot'
import { flagOf, settings } from '../../config/table.ts'
import type { ServiceFlags } from '../service/service.ts'
import type { Flags } from '../start/settings.ts'
import type { StatusFlags } from '../status.ts'
import { JSON_OPTION, option, type CommandGroup, type CommandRow } from './command.ts'

// Each setting of the agent has one flag. No flag is required.

export const agentOptions: readonly Option[] = [
  option('--config <file>', 'settings file of the agent (default: /etc/runbook-agent/agent.yaml)'),
  ...settings.flatMap(({ name, kind, description, default: value, isSecret }) => {
    if (isSecret === true) return []
    const placeholder = v.getTitle(kind)
    const flag = placeholder === undefined ? flagOf(name) : `${flagOf(name)} <${placeholder}>`
    const suffix = placeholder === undefined || value === undefined ? '' : ` (default: ${value})`
    return [option(flag, `${description}${suffix}`)]
  }),
]

export const start: CommandRow = {
  name: 'start',
  does: 'Start the agent, which connects to a gateway and runs its sessions',
  options: agentOptions,
  examples: [
    'runbook-agent start --key-file agent.key',
    'runbook-agent start --config agent.yaml --log-level debug',
  ],
  run: async (flags: Flags) => (await import('../start/start.ts')).startCommand(flags),
}

export const doctor: CommandRow = {
  name: 'doctor',
  does: 'Test what the agent needs: settings, key, gateway and this machine',
  options: [...agentOptions, JSON_OPTION],
  examples: ['runbook-agent doctor', 'runbook-agent doctor --key-file agent.key'],
  // `run` returns an exit code, so that the program ends immediately: a name lookup that hangs would keep it
  // alive.
  run: async (flags: Flags) => (await import('../doctor/doctor.ts')).doctorCommand(flags),
}

export const status: CommandRow = {
  name: 'status',
  does: 'Show the agents that run on this machine',
  options: [JSON_OPTION, option('--socket <path>', 'status socket of one agent (default: all agents)')],
  examples: ['runbook-agent status', 'runbook-agent status --json'],
  run: async (flags: StatusFlags) => {
    const { statusCommand } = await import('../status.ts')
    const { socketPaths } = await import('../status.ts')
    return statusCommand(flags, socketPaths)
  },
}

export const doctorTrial: CommandRow = {
  name: 'doctor-trial',
  isHidden: true,
  run: async () => (await import('../doctor/trial.ts')).trialCommand(),
}

const WHICH = [
  option('--gateway', 'the service is the embedded gateway (default: the agent)'),
  option(
    '--user',
    'use the systemd service manager of your user (default: the service manager of the system)',
  ),
]
const UNIT = [
  option(
    '--key-file <file>',
    "file that contains the agent's key (default: hoop-key in the folder of settings)",
  ),
  option(
    '--config <file>',
    'with --gateway: settings file of the gateway (default: gateway.yaml in the folder of settings)',
  ),
  option(
    '--run-as <user>',
    'user that a system service runs as (default: runbook-agent, or runbook-gateway if --gateway is given)',
  ),
  option(
    '--allow-sudo',
    'let commands gain privileges, for example with sudo; this removes the sandbox of the unit',
  ),
]
const FORCE = option('--force', 'overwrite the unit even if this program did not write it')

const loadService = () => import('../service/service.ts')

export const service: CommandGroup = {
  name: 'service',
  does: 'Install the agent or the gateway as a systemd service',
  commands: [
    {
      name: 'install',
      does: 'Write the unit and start the service',
      options: [...WHICH, ...UNIT, FORCE],
      examples: [
        'sudo runbook-agent service install --key-file /etc/runbook-agent/hoop-key',
        'runbook-agent service install --gateway --user --config gateway.yaml',
      ],
      run: async (flags: ServiceFlags) => (await loadService()).serviceCommand('install', flags),
    },
    {
      name: 'uninstall',
      does: 'Stop the service and remove the unit',
      options: [
        ...WHICH,
        option(
          '--force',
          'remove the unit even if this program did not write it, or its service cannot be stopped',
        ),
      ],
      run: async (flags: ServiceFlags) => (await loadService()).serviceCommand('uninstall', flags),
    },
    {
      name: 'print',
      does: 'Print the unit that `service install` would write',
      options: [...WHICH, ...UNIT],
      examples: ['runbook-agent service print --gateway'],
      run: async (flags: ServiceFlags) => (await loadService()).serviceCommand('print', flags),
    },
  ],
}
