import type { Option } from 'commander'
import * as v from 'valibot'
import { flagOf, settings } from '../../config/table.ts'
import type { ConfigCheckFlags } from '../config/check.ts'
import type { ConfigPrintFlags } from '../config/print.ts'
import type { SettingsKind } from '../config/settings-kind.ts'
import type { Flags } from '../start/settings.ts'
import { JSON_OPTION, option, takes, type CommandGroup, type CommandRow } from './command.ts'

// Commands with a flag for each setting of the agent. None of the flags is required.

export const agentOptions: readonly Option[] = [
  option('--config <file>', 'settings file (default: /etc/runbook-agent/agent.yaml)'),
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
  does: 'Start the agent: connect to a gateway and serve',
  options: agentOptions,
  run: async (flags: Flags) => (await import('../start/start.ts')).startCommand(flags),
}

export const doctor: CommandRow = {
  name: 'doctor',
  does: 'Test everything the agent needs',
  options: [...agentOptions, JSON_OPTION],
  // Its code ends the program at once: a name lookup that hangs would keep the process alive.
  run: async (flags: Flags) => (await import('../doctor/doctor.ts')).doctorCommand(flags),
}

const KIND = [
  option('--agent', 'read the file as settings of an agent'),
  option('--gateway', 'read the file as settings of a gateway'),
  JSON_OPTION,
]

/** None of them connects to anything. */
export const config: CommandGroup = {
  name: 'config',
  does: 'Print and check settings files',
  commands: [
    {
      name: 'print [path]',
      does: 'Print every setting, its value and its source',
      options: [...agentOptions, ...KIND],
      run: async (path: string | undefined, flags: ConfigPrintFlags) =>
        (await import('../config/print.ts')).configPrintCommand(path, flags),
    },
    {
      name: 'check <path>',
      does: 'Check a settings file of an agent or a gateway',
      options: KIND,
      run: async (path: string, flags: ConfigCheckFlags) => {
        process.exitCode = await (await import('../config/check.ts')).configCheckCommand(path, flags)
      },
    },
    {
      name: 'schema',
      does: 'Print the JSON schema of a settings file, for editors',
      takes: [takes('<kind>', 'program whose settings are described').choices(['agent', 'gateway'])],
      run: async (kind: SettingsKind) => (await import('../config/print.ts')).configSchemaCommand(kind),
    },
  ],
}
