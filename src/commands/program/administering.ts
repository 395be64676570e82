import type { AskingFlags, ListingFlags } from '../client/asking/asking.ts'
import type { AccessFlags, UserFlags } from '../client/identities.ts'
import type { ReloadFlags } from '../client/reload.ts'
import {
  FORMATS,
  choice,
  JSON_OPTION,
  LISTED,
  option,
  PROFILE,
  QUIET,
  repeatable,
  type CommandGroup,
  type CommandRow,
  takes,
} from './command.ts'

export const reload: CommandRow = {
  name: 'reload',
  does: 'Let a running gateway read gateway.yaml again, and print what has changed (admins)',
  options: [
    PROFILE,
    option('--dry-run', 'print what would change, and change nothing (also for auditors)'),
    JSON_OPTION,
  ],
  examples: ['runbook-agent reload --dry-run', 'runbook-agent reload'],
  run: async (flags: ReloadFlags) => (await import('../client/reload.ts')).reloadCommand(flags),
}

const loadUsers = () => import('../client/identities.ts')

const SETTING_USER = [
  PROFILE,
  repeatable('--group <name>', 'group of the user (repeatable); `user change` replaces all previous groups'),
  option('--runs <count>', 'budget of a machine: maximum number of sessions per period'),
  option('--bytes <size>', 'budget of a machine: maximum size of the output per period, for example 1GiB'),
  option('--hours <hours>', 'budget of a machine: maximum time of execution per period, in hours'),
  option('--per <duration>', 'budget of a machine: length of the period, for example 12h (default: 1d)'),
  QUIET,
  JSON_OPTION,
]

export const access: CommandGroup = {
  name: 'access',
  does: 'Explain what users may do',
  commands: [
    {
      name: 'explain',
      does: 'Explain what a user may do on a connection, and which rules decide',
      takes: [takes('<user>', 'name of the user'), takes('<connection>', 'name of the connection')],
      options: [
        option('--runbook <path>', 'path of a runbook: says what the user may do with this runbook'),
        PROFILE,
        JSON_OPTION,
      ],
      examples: [
        'runbook-agent access explain ann@example.org pg',
        'runbook-agent access explain ann@example.org pg --runbook ops/refund.runbook.sql',
      ],
      run: async (name: string, connection: string, flags: AccessFlags) =>
        (await loadUsers()).accessCommand(name, connection, flags),
    },
  ],
}

export const user: CommandGroup = {
  name: 'user',
  does: 'Manage users and machines (admins)',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List users ${LISTED}`,
      options: [PROFILE, ...FORMATS],
      examples: ['runbook-agent user list'],
      run: async (flags: ListingFlags) => (await loadUsers()).usersCommand(flags),
    },
    {
      name: 'show <name>',
      does: 'Show a user and their tokens',
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent user show ann@example.org'],
      run: async (name: string, flags: AskingFlags) => (await loadUsers()).userCommand(name, flags),
    },
    {
      name: 'create <name>',
      does: 'Create a user; `token create` then creates a token of the user',
      options: [
        ...SETTING_USER,
        choice('--kind <kind>', 'kind of the user; a machine cannot approve (default: person)', [
          'person',
          'machine',
        ]),
        option('--take-over', 'give the new user the sessions of an earlier user with the same name'),
      ],
      examples: [
        'runbook-agent user create ann@example.org --group dba',
        'runbook-agent user create deploy-bot --kind machine --runs 100 --per 1d',
      ],
      run: async (name: string, flags: UserFlags) => (await loadUsers()).createUserCommand(name, flags),
    },
    {
      name: 'change <name>',
      does: 'Change the given properties of a user',
      options: [
        ...SETTING_USER,
        option('--no-groups', 'remove the user from all groups'),
        option('--no-budget', 'remove the budget of the machine'),
        option('--activate', 'accept the tokens of the user again'),
        option('--deactivate', 'refuse the tokens of the user, and end their requests'),
      ],
      examples: ['runbook-agent user change ann@example.org --deactivate'],
      run: async (name: string, flags: UserFlags) => (await loadUsers()).changeUserCommand(name, flags),
    },
    {
      name: 'delete <name>',
      does: 'Delete a user and all their tokens; sessions keep the name of the user',
      options: [PROFILE, QUIET],
      examples: ['runbook-agent user delete ann@example.org'],
      run: async (name: string, flags: UserFlags) => (await loadUsers()).deleteUserCommand(name, flags),
    },
  ],
}
