import type { Command } from 'commander'
import type { LoginFlags } from './login.ts'

/** The commands for people who ask a gateway. Each is loaded when it is run. */
export function addClientCommands(root: Command): void {
  addAccountCommands(root)
}

function addAccountCommands(root: Command): void {
  root
    .command('login')
    .description('sign in to a gateway: checks the token, and keeps it for the other commands')
    .requiredOption('--api-url <url>', 'of the gateway, for example https://gateway.example')
    .option('--grpc-url <url>', 'of its streams, where the gateway does not say it: grpcs://host:port')
    .option('--token-file <file>', 'file that holds the token; - and no terminal: standard input')
    .option('--allow-plaintext', 'send the token to another machine without TLS')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      examples(
        'runbook-agent login --api-url https://gateway.example',
        'runbook-agent login --api-url http://127.0.0.1:8009 --token-file state/admin.token',
      ),
    )
    .action(async (flags: LoginFlags) => (await import('./login.ts')).loginCommand(flags))
  root
    .command('logout')
    .description('forget the token that login has kept')
    .option('--quiet', 'print nothing but errors')
    .addHelpText('after', examples('runbook-agent logout'))
    .action(async (flags: { quiet?: boolean }) => (await import('./logout.ts')).logoutCommand(flags))
}

/** Lines for the end of a command's help. */
function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`
}
