import type { LoginFlags } from '../client/account/login.ts'
import type { UseFlags } from '../client/account/use.ts'
import type { AskingFlags } from '../client/asking/asking.ts'
import type { TokenFlags, UserFlags } from '../client/identities.ts'
import {
  choice,
  JSON_OPTION,
  LISTED,
  option,
  PROFILE,
  QUIET,
  repeatable,
  required,
  takes,
  type CommandGroup,
  type CommandRow,
} from './command.ts'

export const login: CommandRow = {
  name: 'login',
  does: 'Sign in to a gateway with a browser or a token',
  options: [
    required('--api-url <url>', 'REST address of the gateway, for example https://gateway.example'),
    option(
      '--grpc-url <url>',
      'address of its streams, if the gateway does not announce it: grpcs://host:port',
    ),
    option('--token-file <file>', 'file that holds the token; - or no terminal: standard input'),
    option('--browser', 'sign in with a browser on this machine, if the gateway offers it'),
    option('--no-browser', 'sign in with a browser on another machine: prints a link and a code'),
    option('--allow-plaintext', 'send the token to another machine without TLS'),
    option('--profile <name>', 'name for this sign-in, to have several; `use` selects one'),
    QUIET,
  ],
  examples: [
    'runbook-agent login --api-url https://gateway.example',
    'runbook-agent login --api-url http://127.0.0.1:8009 --token-file state/admin.token',
    'runbook-agent login --api-url https://gateway.example --profile production',
  ],
  run: async (flags: LoginFlags) => (await import('../client/account/login.ts')).loginCommand(flags),
}

export const logout: CommandRow = {
  name: 'logout',
  does: 'Forget the stored token',
  options: [option('--profile <name>', 'forget the token of this profile'), QUIET],
  examples: ['runbook-agent logout'],
  run: async (flags: { profile?: string; quiet?: boolean }) =>
    (await import('../client/account/login.ts')).logoutCommand(flags),
}

export const use: CommandRow = {
  name: 'use',
  does: 'Select or list profiles',
  takes: [takes('[profile]', 'profile to select; without it, all are listed')],
  options: [option('--quiet', 'print only errors and the list'), option('--json', 'print the list as JSON')],
  examples: ['runbook-agent use', 'runbook-agent use production'],
  run: async (name: string | undefined, flags: UseFlags) =>
    (await import('../client/account/use.ts')).useCommand(name, flags),
}

const loadUsers = () => import('../client/identities.ts')

const SETTING_USER = [
  PROFILE,
  repeatable('--group <name>', 'group of the user (repeatable); `change` replaces all groups'),
  option('--runs <count>', 'budget of a machine: sessions per period'),
  option('--bytes <size>', 'budget of a machine: output per period, for example 1GiB'),
  option('--hours <hours>', 'budget of a machine: hours of running per period'),
  option('--per <duration>', 'length of the period (default: 1d)'),
  QUIET,
  option('--json', 'print the user as JSON'),
]

/** Who may ask a gateway: admins change users. */
export const access: CommandGroup = {
  name: 'access',
  does: 'Explain who may do what',
  commands: [
    {
      name: 'explain',
      does: 'Explain what a user may do on a connection, by the rules that decide',
      takes: [takes('<user>', 'name of the user'), takes('<connection>', 'name of the connection')],
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent access explain ann@example.org pg'],
      run: async (name: string, connection: string, flags: AskingFlags) =>
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
      does: `List users: ${LISTED}`,
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent user list'],
      run: async (flags: AskingFlags) => (await loadUsers()).usersCommand(flags),
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
      does: 'Create a user, who then needs a token',
      options: [
        ...SETTING_USER,
        choice('--kind <kind>', 'kind of the user; a machine cannot approve (default: person)', [
          'person',
          'machine',
        ]),
        option('--take-over', 'take over the sessions of an earlier user of this name'),
      ],
      examples: [
        'runbook-agent user create ann@example.org --group dba',
        'runbook-agent user create deploy-bot --kind machine --runs 100 --per 1d',
      ],
      run: async (name: string, flags: UserFlags) => (await loadUsers()).createUserCommand(name, flags),
    },
    {
      name: 'change <name>',
      does: 'Change a user; what you omit stays as it is',
      options: [
        ...SETTING_USER,
        option('--no-groups', 'remove the user from all groups'),
        option('--no-budget', 'remove the budget'),
        option('--activate', 'accept the tokens of the user again'),
        option('--deactivate', 'refuse the tokens of the user, and end their requests'),
      ],
      examples: ['runbook-agent user change ann@example.org --deactivate'],
      run: async (name: string, flags: UserFlags) => (await loadUsers()).changeUserCommand(name, flags),
    },
    {
      name: 'delete <name>',
      does: 'Delete a user and all their tokens; sessions keep the name',
      options: [PROFILE, QUIET],
      examples: ['runbook-agent user delete ann@example.org'],
      run: async (name: string, flags: UserFlags) => (await loadUsers()).deleteUserCommand(name, flags),
    },
  ],
}

const loadTokens = () => import('../client/identities.ts')
const OF_USER = [PROFILE, option('--user <name>', 'user whose tokens are meant (default: you)')]

/** Everybody has tokens. */
export const token: CommandGroup = {
  name: 'token',
  does: 'Manage your tokens; admins manage those of all users',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List tokens: ${LISTED}`,
      options: [...OF_USER, JSON_OPTION],
      examples: ['runbook-agent token list', 'runbook-agent token list --user deploy-bot'],
      run: async (flags: TokenFlags) => (await loadTokens()).tokensCommand(flags),
    },
    {
      name: 'create',
      does: 'Create a token and print it; it is shown once',
      options: [
        ...OF_USER,
        required('--name <name>', 'name of the token'),
        option('--expires <duration>', 'lifetime of the token, for example 90d (default: no end)'),
        option('--json', 'print the token and its details as JSON'),
      ],
      examples: [
        'runbook-agent token create --name laptop --expires 90d',
        'runbook-agent token create --user deploy-bot --name ci > token.txt',
      ],
      run: async (flags: TokenFlags) => (await loadTokens()).createTokenCommand(flags),
    },
    {
      name: 'rotate <token>',
      does: 'Replace a token by a new one and print that',
      options: [
        ...OF_USER,
        option('--overlap <duration>', 'how long the old token stays valid (default: 1d)'),
        option('--expires <duration>', 'lifetime of the new token (default: as before)'),
        option('--json', 'print the token and its details as JSON'),
      ],
      examples: ['runbook-agent token rotate ci --user deploy-bot --overlap 2h'],
      run: async (name: string, flags: TokenFlags) => (await loadTokens()).rotateTokenCommand(name, flags),
    },
    {
      name: 'revoke <token>',
      does: 'Revoke a token and end its requests',
      options: [...OF_USER, QUIET],
      examples: ['runbook-agent token revoke laptop'],
      run: async (name: string, flags: TokenFlags) => (await loadTokens()).revokeTokenCommand(name, flags),
    },
  ],
}
