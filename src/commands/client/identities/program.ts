import { Option, type Command } from 'commander'
import { exits } from '../../failure.ts'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import type { AskingFlags } from '../account/asking.ts'
import { collected, examples, LISTED, withProfile } from '../account/flags.ts'
import type { TokenFlags } from './tokens.ts'
import type { UserFlags } from './users.ts'

// Who may ask a gateway. Admins change users; everybody has tokens.

export function addUserCommands(root: Command): void {
  const users = refuseUnknownCommands(root.command('user').description('Manage users and machines (admins)'))
  const load = () => import('./users.ts')
  withProfile(users.command('list', { isDefault: true }).description(`List users: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent user list'))
    .action(exits(async (flags: AskingFlags) => (await load()).usersCommand(flags)))
  withProfile(users.command('show <name>').description('Show a user and their tokens'))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent user show ann@example.org'))
    .action(exits(async (name: string, flags: AskingFlags) => (await load()).userCommand(name, flags)))
  addChanging(users)
}

function addChanging(users: Command): void {
  const load = () => import('./users.ts')
  settingUser(users.command('create <name>').description('Create a user, who then needs a token'))
    .addOption(
      new Option('--kind <kind>', 'kind of the user; a machine cannot approve (default: person)').choices([
        'person',
        'machine',
      ]),
    )
    .option('--take-over', 'take over the sessions of an earlier user of this name')
    .addHelpText(
      'after',
      examples(
        'runbook-agent user create ann@example.org --group dba',
        'runbook-agent user create deploy-bot --kind machine --runs 100 --per 1d',
      ),
    )
    .action(exits(async (name: string, flags: UserFlags) => (await load()).createUserCommand(name, flags)))
  settingUser(users.command('change <name>').description('Change a user; what you omit stays as it is'))
    .option('--no-groups', 'remove the user from all groups')
    .option('--no-budget', 'remove the budget')
    .option('--activate', 'accept the tokens of the user again')
    .option('--deactivate', 'refuse the tokens of the user, and end their requests')
    .addHelpText('after', examples('runbook-agent user change ann@example.org --deactivate'))
    .action(exits(async (name: string, flags: UserFlags) => (await load()).changeUserCommand(name, flags)))
  withProfile(
    users.command('delete <name>').description('Delete a user and all their tokens; sessions keep the name'),
  )
    .option('--quiet', 'print only errors')
    .addHelpText('after', examples('runbook-agent user delete ann@example.org'))
    .action(exits(async (name: string, flags: UserFlags) => (await load()).deleteUserCommand(name, flags)))
}

function settingUser(command: Command): Command {
  return withProfile(command)
    .option('--group <name>', 'group of the user (repeatable); `change` replaces all groups', collected)
    .option('--runs <count>', 'budget of a machine: sessions per period')
    .option('--bytes <size>', 'budget of a machine: output per period, for example 1GiB')
    .option('--hours <hours>', 'budget of a machine: hours of running per period')
    .option('--per <duration>', 'length of the period (default: 1d)')
    .option('--quiet', 'print only errors')
    .option('--json', 'print the user as JSON')
}

export function addTokenCommands(root: Command): void {
  const tokens = refuseUnknownCommands(
    root.command('token').description('Manage your tokens; admins manage those of all users'),
  )
  const load = () => import('./tokens.ts')
  ofUser(tokens.command('list', { isDefault: true }).description(`List tokens: ${LISTED}`))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent token list', 'runbook-agent token list --user deploy-bot'))
    .action(exits(async (flags: TokenFlags) => (await load()).tokensCommand(flags)))
  ofUser(tokens.command('create').description('Create a token and print it; it is shown once'))
    .requiredOption('--name <name>', 'name of the token')
    .option('--expires <duration>', 'lifetime of the token, for example 90d (default: no end)')
    .option('--json', 'print the token and its details as JSON')
    .addHelpText(
      'after',
      examples(
        'runbook-agent token create --name laptop --expires 90d',
        'runbook-agent token create --user deploy-bot --name ci > token.txt',
      ),
    )
    .action(exits(async (flags: TokenFlags) => (await load()).createTokenCommand(flags)))
  ofUser(tokens.command('rotate <token>').description('Replace a token by a new one and print that'))
    .option('--overlap <duration>', 'how long the old token stays valid (default: 1d)')
    .option('--expires <duration>', 'lifetime of the new token (default: as before)')
    .option('--json', 'print the token and its details as JSON')
    .addHelpText('after', examples('runbook-agent token rotate ci --user deploy-bot --overlap 2h'))
    .action(exits(async (name: string, flags: TokenFlags) => (await load()).rotateTokenCommand(name, flags)))
  ofUser(tokens.command('revoke <token>').description('Revoke a token and end its requests'))
    .option('--quiet', 'print only errors')
    .addHelpText('after', examples('runbook-agent token revoke laptop'))
    .action(exits(async (name: string, flags: TokenFlags) => (await load()).revokeTokenCommand(name, flags)))
}

function ofUser(command: Command): Command {
  return withProfile(command).option('--user <name>', 'user whose tokens are meant (default: you)')
}
