import { CommanderError, Option, type Command } from 'commander'
import type { CheckFlags } from './check.ts'
import type { MaskFlags } from './mask.ts'
import { ANSWERS } from './answers.ts'

export function addPolicyCommands(root: Command): void {
  const policy = root.command('policy').description('Test policies on a text')
  addCheck(policy)
  addMask(policy)
}

function addCheck(policy: Command): void {
  answering(policy.command('check'))
    .description('Name the guardrail rule that stops the text on standard input')
    .requiredOption(
      '--rules <file>',
      'JSON or YAML: {rules: [...]}, a list of such sets, or a GuardRailRules payload',
    )
    .addOption(
      new Option('--direction <direction>', 'rules of a payload to test')
        .choices(['input', 'output'])
        .default('input'),
    )
    .option('--json', 'print JSON')
    .action(async (flags: CheckFlags) => {
      process.exitCode = await (await import('./check.ts')).checkCommand(flags)
    })
}

function addMask(policy: Command): void {
  answering(policy.command('mask'))
    .description('Print the text on standard input as masking lets it pass')
    .option('--entities <types>', 'types to mask, separated by commas (default: all built-in types)')
    .option('--threshold <number>', 'lowest score that is masked, 0 to 1 (default: all findings)')
    .option(
      '--custom <file>',
      'file with custom types: a list of {name, regex or deny_list, score}, JSON or YAML',
    )
    .addOption(
      new Option('--form <form>', 'replacement: <TYPE>, or # per character')
        .choices(['tag', 'mask'])
        .default('tag'),
    )
    .option(
      '--refine <names>',
      'deviations from the reference: ipv6 (finds ::), ssn (nine digits need a word beside them)',
    )
    .option('--json', 'print findings and the masked text as JSON')
    .action(async (flags: MaskFlags) => (await import('./mask.ts')).maskCommand(flags))
}

/** It answers by its exit code, so what is wrong with its arguments has to be the code for "no answer". */
function answering(command: Command): Command {
  return command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommanderError(ANSWERS.none, error.code, error.message)
  })
}
