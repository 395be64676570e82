import type { LoginFlags } from '../client/account/login.ts'
import type { UseFlags } from '../client/account/use.ts'
import type { AskingFlags } from '../client/asking/asking.ts'
import type { TokenFlags } from '../client/identities.ts'
import type { McpFlags } from '../client/mcp.ts'
import {
  choice,
  FORMATS,
  JSON_OPTION,
  LISTED,
  option,
  PROFILE,
  QUIET,
  required,
  takes,
  TOKEN_FILE,
  type CommandGroup,
  type CommandRow,
} from './command.ts'

export const login: CommandRow = {
  name: 'login',
  does: 'Sign in to a gateway with a browser or a token',
  options: [
    option(
      '--api-url <url>',
      'REST address of the gateway, for example https://gateway.example (default: the gateway of the profile)',
    ),
    option(
      '--grpc-url <url>',
      'gRPC address of the gateway, for example grpcs://gateway.example:8010 (default: the address that the gateway announces)',
    ),
    TOKEN_FILE,
    option('--browser', 'sign in with a browser on this machine'),
    option('--no-browser', 'print a link and a code for the browser of another machine'),
    option('--allow-plaintext', 'allow to send the token to another machine without TLS'),
    option(
      '--profile <name>',
      'profile that stores the token; `use` selects a profile (default: the selected profile)',
    ),
    QUIET,
  ],
  examples: [
    'runbook-agent login --api-url https://gateway.example',
    'runbook-agent login --api-url http://127.0.0.1:8009 --token-file state/admin.token',
    'runbook-agent login --api-url https://gateway.example --profile production',
    'runbook-agent login --profile production',
  ],
  run: async (flags: LoginFlags) => (await import('../client/account/login.ts')).loginCommand(flags),
}

export const logout: CommandRow = {
  name: 'logout',
  does: 'Delete the stored token and sign out',
  options: [
    option('--profile <name>', 'profile whose token is deleted (default: the selected profile)'),
    QUIET,
  ],
  examples: ['runbook-agent logout'],
  run: async (flags: { profile?: string; quiet?: boolean }) =>
    (await import('../client/account/login.ts')).logoutCommand(flags),
}

export const use: CommandRow = {
  name: 'use',
  does: 'Select or list profiles',
  takes: [takes('[profile]', 'profile to select (default: list all profiles)')],
  options: [option('--quiet', 'print only errors and the list'), ...FORMATS],
  examples: ['runbook-agent use', 'runbook-agent use production'],
  run: async (name: string | undefined, flags: UseFlags) =>
    (await import('../client/account/use.ts')).useCommand(name, flags),
}

export const whoami: CommandRow = {
  name: 'whoami',
  does: 'Show the user, gateway and profile that commands use',
  options: [PROFILE, JSON_OPTION],
  examples: ['runbook-agent whoami', 'runbook-agent whoami --profile production'],
  run: async (flags: AskingFlags) => (await import('../client/account/whoami.ts')).whoamiCommand(flags),
}

const loadTokens = () => import('../client/identities.ts')
const OF_USER = [PROFILE, option('--user <name>', 'owner of the tokens (default: you)')]

export const token: CommandGroup = {
  name: 'token',
  does: 'Manage your tokens; admins manage the tokens of all users',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List tokens ${LISTED}`,
      options: [...OF_USER, ...FORMATS],
      examples: ['runbook-agent token list', 'runbook-agent token list --user deploy-bot'],
      run: async (flags: TokenFlags) => (await loadTokens()).tokensCommand(flags),
    },
    {
      name: 'create',
      does: 'Create a token and print it; the token is shown only once',
      options: [
        ...OF_USER,
        required('--name <name>', 'name of the token'),
        option(
          '--expires <duration>',
          'lifetime of the token, for example 90d (default: the token does not expire)',
        ),
        choice(
          '--for <use>',
          'mcp: the token of a machine is accepted only by /mcp (default: by everything else)',
          ['mcp'],
        ),
        option('--json', 'print the token and its details as JSON'),
      ],
      examples: [
        'runbook-agent token create --user triage-bot --name claude --for mcp --expires 30d > mcp-token.txt',
        'runbook-agent token create --name laptop --expires 90d',
        'runbook-agent token create --user deploy-bot --name ci > token.txt',
      ],
      run: async (flags: TokenFlags) => (await loadTokens()).createTokenCommand(flags),
    },
    {
      name: 'rotate <token>',
      does: 'Replace a token and print the new token',
      options: [
        ...OF_USER,
        option(
          '--overlap <duration>',
          'time for which the old token stays valid, for example 2h (default: 1d)',
        ),
        option(
          '--expires <duration>',
          'lifetime of the new token, for example 90d (default: the lifetime of the old token)',
        ),
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
    ...(['pause', 'resume'] as const).map((word) => ({
      name: `${word} <token>`,
      does:
        word === 'pause'
          ? 'Pause a token for mcp: its runs end, and its requests for approval are withdrawn'
          : 'Resume a token for mcp',
      options: [...OF_USER, QUIET],
      examples: [`runbook-agent token ${word} claude --user triage-bot`],
      run: async (name: string, flags: TokenFlags) =>
        (await loadTokens()).pauseTokenCommand(word, name, flags),
    })),
  ],
}

/** Clients of the Model Context Protocol start it: standard output has nothing but messages. */
export const mcp: CommandRow = {
  name: 'mcp',
  does: 'Serve the runbooks of a gateway as tools to an AI agent on standard input and output',
  options: [
    required('--api-url <url>', 'address of the gateway'),
    required(
      '--token-file <file>',
      'file with a token for mcp (token create --for mcp); no other token is accepted',
    ),
  ],
  examples: ['runbook-agent mcp --api-url https://gateway.example --token-file mcp-token.txt'],
  run: async (flags: McpFlags) => (await import('../client/mcp.ts')).mcpCommand(flags),
}
