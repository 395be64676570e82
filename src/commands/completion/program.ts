import { Argument, type Command } from 'commander'
import type { Shell } from './scripts.ts'

export function addCompletionCommand(root: Command): void {
  root
    .command('completion')
    .description('Print a completion script for your shell')
    .addArgument(new Argument('<shell>', 'shell to complete in').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(runbook-agent completion bash)\n  runbook-agent completion zsh > ~/.zfunc/_runbook-agent\n  runbook-agent completion fish > ~/.config/fish/completions/runbook-agent.fish\n',
    )
    .action(async (shell: Shell) => {
      const { SCRIPTS } = await import('./scripts.ts')
      process.stdout.write(SCRIPTS[shell])
    })
}

/** What the shells' scripts ask. It completes the commands that the root has. */
export function addCompleteCommand(root: Command): void {
  root
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const { printCandidates } = await import('./print.ts')
      process.exit(await printCandidates(root, words))
    })
}
