import { CommanderError, Option, type Command } from 'commander'
import type { CheckFlags } from './check.ts'
import { ANSWERS } from './answers.ts'

/** `policy check` answers by its exit code, so what is wrong with its arguments has to be the code for "no answer". */
export function addPolicyCommands(root: Command): void {
  const policy = root.command('policy').description('tries on a text what the agent would enforce')
  policy
    .command('check')
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
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : new CommanderError(ANSWERS.none, error.code, error.message)
    })
    .action(async (flags: CheckFlags) => {
      process.exitCode = await (await import('./check.ts')).checkCommand(flags)
    })
}
