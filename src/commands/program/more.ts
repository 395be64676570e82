import type { Command } from 'commander'
import type { Shell } from '../completion/scripts.ts'
import type { ConfigCheckFlags, ConfigPrintFlags, SettingsKind } from '../config.ts'
import type { CheckFlags } from '../policy/check.ts'
import type { MaskFlags } from '../policy/mask.ts'
import { version } from '../version.ts'
import { agentOptions } from './agent.ts'
import type { GatewayParts } from './product.ts'
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
  option(
    '--agent',
    'read the file as the settings of an agent (default: decide by the settings in the file)',
  ),
  option(
    '--gateway',
    'read the file as the settings of a gateway (default: decide by the settings in the file)',
  ),
  JSON_OPTION,
]

/** These commands open no network connections. */
export const config = ({ loadFiles }: GatewayParts): CommandGroup => ({
  name: 'config',
  does: 'Print and check settings files',
  commands: [
    {
      name: 'print [path]',
      does: 'Print every setting, its value and its source',
      options: [...agentOptions, ...KIND],
      examples: ['runbook-agent config print', 'runbook-agent config print gateway.yaml'],
      run: async (path: string | undefined, flags: ConfigPrintFlags) =>
        (await import('../config.ts')).configPrintCommand(path, flags, loadFiles),
    },
    {
      name: 'check <path>',
      does: 'Check a settings file of an agent or a gateway',
      options: KIND,
      examples: ['runbook-agent config check gateway.yaml'],
      run: async (path: string, flags: ConfigCheckFlags) => {
        process.exitCode = await (await import('../config.ts')).configCheckCommand(path, flags, loadFiles)
      },
    },
    {
      name: 'schema',
      does: 'Print the JSON schema of a settings file, for editors',
      takes: [takes('<kind>', 'program that reads the settings').choices(['agent', 'gateway'])],
      examples: ['runbook-agent config schema gateway > gateway.schema.json'],
      run: async (kind: SettingsKind) => (await import('../config.ts')).configSchemaCommand(kind, loadFiles),
    },
  ],
})

/** The exit code for wrong arguments. Other exit codes of these commands are the answer. */
const NO_ANSWER = 2

export const policy: CommandGroup = {
  name: 'policy',
  does: 'Test policies on a text',
  commands: [
    {
      name: 'check',
      does: 'Show whether a guardrail rule stops the text on standard input',
      wrongUse: NO_ANSWER,
      options: [
        required(
          '--rules <file>',
          'file with the rules, as JSON or YAML: {rules: [...]}, a list of such maps, or the rules as hoop sends them (GuardRailRules)',
        ),
        choice(
          '--direction <direction>',
          'test the rules for input or for output',
          ['input', 'output'],
          'input',
        ),
        JSON_OPTION,
      ],
      examples: [
        "echo 'drop table orders' | runbook-agent policy check --rules examples/policies/destructive-ddl.yaml",
      ],
      run: async (flags: CheckFlags) => {
        process.exitCode = await (await import('../policy/check.ts')).checkCommand(flags)
      },
    },
    {
      name: 'mask',
      does: 'Mask the text on standard input and print it',
      wrongUse: NO_ANSWER,
      options: [
        option(
          '--entities <types>',
          'types of data to mask, separated by commas (default: all built-in types)',
        ),
        option(
          '--threshold <number>',
          'minimum score of findings to mask, from 0 to 1 (default: mask all findings)',
        ),
        option(
          '--custom <file>',
          'file with custom types, as JSON or YAML: a list of {name, regex or deny_list, score}',
        ),
        choice(
          '--form <form>',
          'replacement for a finding: tag writes <TYPE>, mask writes # for each character',
          ['tag', 'mask'],
          'tag',
        ),
        option(
          '--refine <names>',
          'use better patterns than hoop for these types, separated by commas: ipv6 (also finds addresses with ::), ssn (finds nine digits only near a word such as SSN)',
        ),
        JSON_OPTION,
      ],
      examples: ['runbook-agent policy mask --entities EMAIL_ADDRESS,CREDIT_CARD < report.csv'],
      run: async (flags: MaskFlags) => (await import('../policy/mask.ts')).maskCommand(flags),
    },
  ],
}

export const completion: CommandRow = {
  name: 'completion',
  does: 'Print a completion script for your shell',
  takes: [takes('<shell>', 'shell that the script is for').choices(['bash', 'zsh', 'fish'])],
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

/** The completion scripts of the shells call this command. */
export const complete: CommandRow = {
  name: 'complete',
  isHidden: true,
  takes: [takes('[words...]')],
  run: async (words: string[], _flags: object, { parent }: Command) => {
    const { printCandidates } = await import('../completion/complete.ts')
    const { withoutAliases } = await import('./aliases.ts')
    if (parent !== null) return printCandidates(parent, withoutAliases(words))
  },
}

export const showVersion: CommandRow = {
  name: 'version',
  does: 'Print the version',
  run: () => void process.stdout.write(`${version}\n`),
}
