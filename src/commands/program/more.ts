import type { Command } from 'commander'
import type { Shell } from '../completion/scripts.ts'
import type { ConfigCheckFlags, ConfigPrintFlags, SettingsKind } from '../config.ts'
import type { CheckFlags } from '../policy/check.ts'
import type { MaskFlags } from '../policy/mask.ts'
import { version } from '../version.ts'
import { agentOptions } from './agent.ts'
import {
  choice,
  JSON_OPTION,
  option,
  required,
  takes,
  type CommandGroup,
  type CommandRow,
} from './command.ts'

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
        (await import('../config.ts')).configPrintCommand(path, flags),
    },
    {
      name: 'check <path>',
      does: 'Check a settings file of an agent or a gateway',
      options: KIND,
      run: async (path: string, flags: ConfigCheckFlags) => {
        process.exitCode = await (await import('../config.ts')).configCheckCommand(path, flags)
      },
    },
    {
      name: 'schema',
      does: 'Print the JSON schema of a settings file, for editors',
      takes: [takes('<kind>', 'program whose settings are described').choices(['agent', 'gateway'])],
      run: async (kind: SettingsKind) => (await import('../config.ts')).configSchemaCommand(kind),
    },
  ],
}

/** The commands answer by their exit codes, so wrong arguments have the code for "no answer". */
const NO_ANSWER = 2

export const policy: CommandGroup = {
  name: 'policy',
  does: 'Test policies on a text',
  commands: [
    {
      name: 'check',
      does: 'Name the guardrail rule that stops the text on standard input',
      wrongUse: NO_ANSWER,
      options: [
        required(
          '--rules <file>',
          'JSON or YAML: {rules: [...]}, a list of such sets, or a GuardRailRules payload',
        ),
        choice('--direction <direction>', 'rules of a payload to test', ['input', 'output'], 'input'),
        JSON_OPTION,
      ],
      run: async (flags: CheckFlags) => {
        process.exitCode = await (await import('../policy/check.ts')).checkCommand(flags)
      },
    },
    {
      name: 'mask',
      does: 'Print the text on standard input as masking lets it pass',
      wrongUse: NO_ANSWER,
      options: [
        option('--entities <types>', 'types to mask, separated by commas (default: all built-in types)'),
        option('--threshold <number>', 'lowest score that is masked, 0 to 1 (default: all findings)'),
        option(
          '--custom <file>',
          'file with custom types: a list of {name, regex or deny_list, score}, JSON or YAML',
        ),
        choice('--form <form>', 'replacement: <TYPE>, or # per character', ['tag', 'mask'], 'tag'),
        option(
          '--refine <names>',
          'deviations from the reference: ipv6 (finds ::), ssn (nine digits need a word beside them)',
        ),
        option('--json', 'print findings and the masked text as JSON'),
      ],
      run: async (flags: MaskFlags) => (await import('../policy/mask.ts')).maskCommand(flags),
    },
  ],
}

export const completion: CommandRow = {
  name: 'completion',
  does: 'Print a completion script for your shell',
  takes: [takes('<shell>', 'shell to complete in').choices(['bash', 'zsh', 'fish'])],
  examples: [
    'source <(runbook-agent completion bash)',
    'runbook-agent completion zsh > ~/.zfunc/_runbook-agent',
    'runbook-agent completion fish > ~/.config/fish/completions/runbook-agent.fish',
  ],
  run: async (shell: Shell) => {
    const { SCRIPTS } = await import('../completion/scripts.ts')
    process.stdout.write(SCRIPTS[shell])
  },
}

/** What the shells' scripts ask. It completes the commands that the root has. */
export const complete: CommandRow = {
  name: 'complete',
  isHidden: true,
  takes: [takes('[words...]')],
  run: async (words: string[], _flags: object, { parent }: Command) => {
    const { printCandidates } = await import('../completion/complete.ts')
    if (parent !== null) return printCandidates(parent, words)
  },
}

export const showVersion: CommandRow = {
  name: 'version',
  does: 'Print the version',
  run: () => void process.stdout.write(`${version}\n`),
}
