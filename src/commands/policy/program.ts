import { CommanderError, Option, type Command } from 'commander'
import type { CheckFlags } from './check.ts'
import type { MaskFlags } from './mask.ts'
import { ANSWERS } from './answers.ts'

export function addPolicyCommands(root: Command): void {
  const policy = root.command('policy').description('tries on a text what the agent would enforce')
  addCheck(policy)
  addMask(policy)
}

function addCheck(policy: Command): void {
  answering(policy.command('check'))
    .description('says which guardrail rule would stop the text on standard input')
    .requiredOption(
      '--rules <file>',
      'JSON or YAML: {rules: [...]}, a list of such sets, or a GuardRailRules payload',
    )
    .addOption(
      new Option('--direction <direction>', 'which rules of a payload; what the text is')
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
    .description('prints the text on standard input as masking would let it pass')
    .option('--entities <types>', 'types to mask, with commas (default: all built-in ones)')
    .option('--threshold <number>', 'least score to mask, 0 to 1 (default: everything that is found)')
    .option('--custom <file>', 'own types: a list of {name, regex or deny_list, score}, JSON or YAML')
    .addOption(
      new Option('--form <form>', '<TYPE>, or # for each character').choices(['tag', 'mask']).default('tag'),
    )
    .option(
      '--refine <names>',
      'not as the reference: ipv6 (finds ::), ssn (nine digits need a word beside them)',
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
