import { Option, type Command } from 'commander'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { collected, examples, LISTED, withProfile } from '../account/flags.ts'
import type { TokenFlags } from './tokens.ts'
import type { UserFlags } from './users.ts'

// Who may ask a gateway. Admins change users; everybody has tokens.

export function addUserCommands(root: Command): void {
  const users = refuseUnknownCommands(root.command('user').description('who may ask a gateway; for admins'))
  const load = () => import('./users.ts')
  withProfile(users.command('list', { isDefault: true }).description(`all: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent user list'))
    .action(async (flags: AskingFlags) => process.exit(await (await load()).usersCommand(flags)))
  withProfile(users.command('show <name>').description('one of them, with his tokens'))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent user show ann@example.org'))
    .action(async (name: string, flags: AskingFlags) =>
      process.exit(await (await load()).userCommand(name, flags)),
    )
  addChanging(users)
}

function addChanging(users: Command): void {
  const load = () => import('./users.ts')
  settingUser(users.command('create <name>').description('add a user, who then needs a token'))
    .addOption(new Option('--kind <kind>', 'a machine never approves').choices(['person', 'machine']))
    .option('--take-over', 'with the sessions that an earlier user of this name has left')
    .addHelpText(
      'after',
      examples(
        'runbook-agent user create ann@example.org --group dba',
        'runbook-agent user create deploy-bot --kind machine --runs 100 --per 1d',
      ),
    )
    .action(async (name: string, flags: UserFlags) =>
      process.exit(await (await load()).createUserCommand(name, flags)),
    )
  settingUser(users.command('change <name>').description('what is not given stays as it is'))
    .option('--no-groups', 'in no group any more')
    .option('--no-budget', 'no budget any more')
    .option('--activate', 'accept its tokens again')
    .option('--deactivate', 'accept none of its tokens, and end what it runs by them')
    .addHelpText('after', examples('runbook-agent user change ann@example.org --deactivate'))
    .action(async (name: string, flags: UserFlags) =>
      process.exit(await (await load()).changeUserCommand(name, flags)),
    )
  withProfile(users.command('delete <name>').description('with all tokens; its sessions keep the name'))
    .option('--quiet', 'print nothing but errors')
    .addHelpText('after', examples('runbook-agent user delete ann@example.org'))
    .action(async (name: string, flags: UserFlags) =>
      process.exit(await (await load()).deleteUserCommand(name, flags)),
    )
}

function settingUser(command: Command): Command {
  return withProfile(command)
    .option(
      '--group <name>',
      'in this group, may be repeated; with change these instead of the others',
      collected,
    )
    .option('--runs <count>', 'budget of a machine: sessions that may begin')
    .option('--bytes <size>', 'budget: what they may write, 1GiB')
    .option('--hours <hours>', 'budget: how long they may run')
    .option('--per <duration>', 'budget: in any stretch of this length, 1d unless given')
    .option('--quiet', 'print nothing but errors')
    .option('--json', 'print the user as JSON')
}

export function addTokenCommands(root: Command): void {
  const tokens = refuseUnknownCommands(
    root.command('token').description("one's own tokens; for admins those of all"),
  )
  const load = () => import('./tokens.ts')
  ofUser(tokens.command('list', { isDefault: true }).description(`all: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent token list', 'runbook-agent token list --user deploy-bot'))
    .action(async (flags: TokenFlags) => process.exit(await (await load()).tokensCommand(flags)))
  ofUser(tokens.command('create').description('make one, and print it: it cannot be shown again'))
    .requiredOption('--name <name>', 'by which people know it')
    .option('--expires <duration>', 'it is accepted for so long: 90d; for ever unless given')
    .option('--json', 'print it with what is known of it, as JSON')
    .addHelpText(
      'after',
      examples(
        'runbook-agent token create --name laptop --expires 90d',
        'runbook-agent token create --user deploy-bot --name ci > token.txt',
      ),
    )
    .action(async (flags: TokenFlags) => process.exit(await (await load()).createTokenCommand(flags)))
  ofUser(tokens.command('rotate <token>').description('make one in its place, and print it'))
    .option('--overlap <duration>', 'the old one is accepted for so long: 1d unless given, 0s: no longer')
    .option('--expires <duration>', 'of the new one; as long as the old one was meant to live unless given')
    .option('--json', 'print it with what is known of it, as JSON')
    .addHelpText('after', examples('runbook-agent token rotate ci --user deploy-bot --overlap 2h'))
    .action(async (name: string, flags: TokenFlags) =>
      process.exit(await (await load()).rotateTokenCommand(name, flags)),
    )
  ofUser(tokens.command('revoke <token>').description('accept it no more, and end what is served by it'))
    .option('--quiet', 'print nothing but errors')
    .addHelpText('after', examples('runbook-agent token revoke laptop'))
    .action(async (name: string, flags: TokenFlags) =>
      process.exit(await (await load()).revokeTokenCommand(name, flags)),
    )
}

function ofUser(command: Command): Command {
  return withProfile(command).option('--user <name>', 'of this user')
}
