import { Option, type Command } from 'commander'
import { withClientArgs, withGuardedArgs } from './stream/client-args.ts'
import { refuseUnknownCommands } from '../program/unknown-command.ts'
import type { ConnectFlags } from './stream/connect.ts'
import { dispatchExec, dispatchRun } from './local/dispatch-local.ts'
import type { AskingFlags } from './account/asking.ts'
import { collected, examples, LISTED, withProfile } from './account/flags.ts'
import type { LoginFlags } from './account/login.ts'
import type { UseFlags } from './account/use.ts'
import type { NoticeFlags } from './report/notices.ts'
import type { ExportFlags } from './sessions/export.ts'
import type { ListFlags } from './sessions/list.ts'
import type { ReplayFlags } from './sessions/sessions.ts'

// The commands for people who use a gateway. Each is loaded when it is run.

export function addLoginCommand(root: Command): void {
  root
    .command('login')
    .description('sign in to a gateway, with a browser or a token, and keep that for the other commands')
    .requiredOption('--api-url <url>', 'of the gateway, for example https://gateway.example')
    .option('--grpc-url <url>', 'of its streams, where the gateway does not say it: grpcs://host:port')
    .option('--token-file <file>', 'file that holds the token; - and no terminal: standard input')
    .option('--browser', 'sign in with a browser of this machine, where the gateway offers it')
    .option('--no-browser', 'with a browser on any other machine: prints a link and a code')
    .option('--allow-plaintext', 'send the token to another machine without TLS')
    .option('--profile <name>', 'keep it under this name, beside others; use chooses')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      examples(
        'runbook-agent login --api-url https://gateway.example',
        'runbook-agent login --api-url http://127.0.0.1:8009 --token-file state/admin.token',
        'runbook-agent login --api-url https://gateway.example --profile production',
      ),
    )
    .action(async (flags: LoginFlags) => (await import('./account/login.ts')).loginCommand(flags))
}

export function addLogoutCommand(root: Command): void {
  root
    .command('logout')
    .description('forget the token that login has kept')
    .option('--profile <name>', 'the one of this name')
    .option('--quiet', 'print nothing but errors')
    .addHelpText('after', examples('runbook-agent logout'))
    .action(async (flags: { profile?: string; quiet?: boolean }) =>
      (await import('./account/logout.ts')).logoutCommand(flags),
    )
}

export function addUseCommand(root: Command): void {
  root
    .command('use')
    .description('which of several gateways the commands are for; without a name: which there are')
    .argument('[profile]', 'the name that login --profile gave it')
    .option('--quiet', 'print nothing but errors and the list')
    .option('--json', 'print the list as JSON')
    .addHelpText('after', examples('runbook-agent use', 'runbook-agent use production'))
    .action(async (name: string | undefined, flags: UseFlags) =>
      process.exit(await (await import('./account/use.ts')).useCommand(name, flags)),
    )
}

const NAME = 'name of the connection'

export function addRunCommand(root: Command): void {
  const command = withLocal(
    root
      .command('run')
      .description('run a runbook: asks for its parameters, prints its output, exits with its code'),
  )
    .argument('<connection>', `${NAME}; left out with --on and --tag`)
    .argument('[file]', 'the runbook, as its repository has it; with --local a file here')
  withSeveral(withKept(withGuardedArgs(command, 'Parameters are given with -p name=value')))
    .option('-p, --param <name=value>', 'parameter of the runbook, may be repeated', collected)
    .option('--param-file <file>', 'parameters from a YAML or JSON map, for secrets; - is standard input')
    .option('-e, --env <NAME=value>', 'variable for the command, may be repeated', collected)
    .option(
      '-f, --file <NAME=path>',
      'file for the command: NAME is its path there, may be repeated',
      collected,
    )
    .option('--ref <sha>', 'the runbook as it was in this commit; hoop ignores it')
    .option('--repository <name>', 'where the file is in more than one')
    .option('--defaults', 'take defaults without asking')
    .option('--dry-run', 'show what would be sent, and the script')
    .option('--no-wait', 'print the session when it has begun or waits for approval, and leave it')
    .option('--quiet', 'no progress')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      examples(
        'runbook-agent run bash ops/hello.runbook.sh',
        'runbook-agent run bash ops/hello.runbook.sh -p name=world -f SECRET_FILE=secret.txt',
        'runbook-agent run bash ops/hello.runbook.sh -p name=world --dry-run',
        'runbook-agent run ops/hello.runbook.sh --tag env=prod --waves 1,10,rest --stop-after 5%',
        'runbook-agent run --local bash runbooks/hello.runbook.sh --config gateway.yaml',
      ),
    )
    .action(
      async (
        connection: string,
        file: string | undefined,
        clientArgs: string[],
        flags: Parameters<typeof dispatchRun>[1],
      ) => {
        process.exit(await dispatchRun({ connection, file, clientArgs }, flags))
      },
    )
}

/** For a batch. */
function withSeveral(command: Command): Command {
  return command
    .option('--on <names>', 'on these connections: a,b,c', collected)
    .option('--tag <key=value>', 'on the connections with this tag, may be repeated', collected)
    .option('--waves <sizes>', 'wave by wave: numbers, parts of all and the rest (1,rest)')
    .option('--parallel <count>', 'of one wave so many at once (10)')
    .option('--stop-after <count>', 'stop behind so many failures, a number or a part of all such as 10% (1)')
    .option('--yes', 'do not ask before several begin')
}

/** What stays with the session. */
function withKept(command: Command): Command {
  return command
    .option('--metadata <name=value>', 'kept with the session, may be repeated', collected)
    .option('--jira <field=value>', 'a field of its Jira issue, may be repeated', collected)
}

export function addExecCommand(root: Command): void {
  const command = withLocal(
    withVariables(root.command('exec').description('run a script on a connection, its output as it comes')),
  ).argument('<connection>', NAME)
  withGuardedArgs(command, 'A script is given with -i, a file of it with -f')
    .option('-i, --input <script>', 'the script itself; it may be empty')
    .option(
      '-f, --file <file>',
      'file that holds the script; - is standard input, which is also read when it is no terminal',
    )
    .addHelpText(
      'after',
      examples(
        "runbook-agent exec pg -i 'select now()'",
        'runbook-agent exec bash -f deploy.sh -e STAGE=test',
        'runbook-agent exec --local pg --config gateway.yaml -f report.sql',
        "runbook-agent exec pg -i '' -- -c 'copy orders to stdout' > orders.tsv",
      ),
    )
    .action(async (connection: string, args: string[], flags: Parameters<typeof dispatchExec>[2]) => {
      process.exit(await dispatchExec(connection, args, flags))
    })
}

export function addConnectCommand(root: Command): void {
  const command = withVariables(
    withProfile(root.command('connect').description('a terminal on a connection; Enter ~ . leaves it')),
  ).argument('<connection>', NAME)
  withClientArgs(command, 'For a single command there is runbook-agent exec')
    .addHelpText(
      'after',
      examples(
        'runbook-agent connect bash',
        'runbook-agent connect pg -e PGOPTIONS=-cdefault_transaction_read_only=on',
      ),
    )
    .action(async (connection: string, args: string[], flags: ConnectFlags) => {
      process.exit(await (await import('./stream/connect.ts')).connectCommand(connection, args, flags))
    })
}

function withLocal(command: Command): Command {
  return withProfile(command)
    .option('--local', 'here, without a gateway: to try a command on the server that runs it')
    .option(
      '--config <file>',
      "with --local: a gateway's settings that have the connection; without it the words behind -- are the command",
    )
}

function withVariables(command: Command): Command {
  return command
    .option('-e, --env <NAME=value>', 'variable for the command, may be repeated', collected)
    .option('--quiet', 'no hints')
    .option('--json', 'what this program itself says: one line of JSON each, on standard error')
}

export function addSessionCommands(root: Command): void {
  const sessions = refuseUnknownCommands(
    root.command('sessions').description('what has run: the beginning of an id is enough'),
  )
  const load = () => import('./sessions/sessions.ts')
  addSessionList(sessions)
  addSessionExport(sessions)
  withProfile(sessions.command('show <id>').description('one session, with its script'))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent sessions show 5701046a'))
    .action(async (id: string, flags: AskingFlags) =>
      process.exit(await (await load()).showCommand(id, flags)),
    )
  withProfile(sessions.command('output <id>').description('what it has written so far, byte for byte'))
    .addHelpText('after', examples('runbook-agent sessions output 5701046a > report.csv'))
    .action(async (id: string, flags: AskingFlags) =>
      process.exit(await (await load()).outputCommand(id, flags)),
    )
  withProfile(sessions.command('kill <id>').description('end it'))
    .option('--quiet', 'print nothing but errors')
    .addHelpText('after', examples('runbook-agent sessions kill 5701046a'))
    .action(async (id: string, flags: { quiet?: boolean; profile?: string }) =>
      process.exit(await (await load()).killCommand(id, flags)),
    )
  addStreamedCommands(sessions)
  addReplayCommand(sessions, async (id, flags) => (await load()).replayCommand(id, flags))
}

export function addBackupCommand(root: Command): void {
  withProfile(
    root.command('backup <file>').description('the state of the embedded gateway as a file, while it serves'),
  )
    .option('--json', 'print what is in it as JSON')
    .addHelpText('after', examples('runbook-agent backup gateway-2026-01-31.backup'))
    .action(async (file: string, flags: AskingFlags) =>
      process.exit(await (await import('../backup/backup.ts')).backupCommand(file, flags)),
    )
}

function addSessionList(sessions: Command): void {
  withProfile(sessions.command('list', { isDefault: true }).description(`the newest first: ${LISTED}`))
    .option('--runbook <file>', 'of this runbook only')
    .option('--user <name>', 'of this user only; a hoop gateway wants the id of the user')
    .addOption(new Option('--status <status>', 'in this state only').choices(['open', 'ready', 'done']))
    .option('--connection <name>', 'of this connection only')
    .option('--since <time>', 'begun since then: 2h, 7d, 2026-01-31, 2026-01-31T14:30')
    .option('--until <time>', 'begun until then')
    .option('--limit <count>', 'at most so many', '20')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'runbook-agent sessions',
        'runbook-agent sessions list --runbook ops/hello.runbook.sh --since 7d',
        'runbook-agent sessions list --connection pg --limit 100',
      ),
    )
    .action(async (flags: ListFlags) =>
      process.exit(await (await import('./sessions/list.ts')).listCommand(flags)),
    )
}

function addSessionExport(sessions: Command): void {
  withProfile(sessions.command('export').description('all of them as JSON lines, the oldest first'))
    .option('--user <name>', 'of this user only')
    .option('--connection <name>', 'of this connection only')
    .option('--since <time>', 'begun since then: 2h, 7d, 2026-01-31, 2026-01-31T14:30')
    .option('--until <time>', 'begun until then')
    .option('--after <cursor>', 'only what stands behind the session with this cursor')
    .option('--output <file>', 'a new file, mode 0600, instead of stdout')
    .option('--resume', 'go on with the file of an export that broke off')
    .addHelpText(
      'after',
      examples(
        'runbook-agent sessions export --until 1d --output sessions.jsonl',
        'runbook-agent sessions export --output sessions.jsonl --resume',
      ),
    )
    .action(async (flags: ExportFlags) =>
      process.exit(await (await import('./sessions/export.ts')).exportCommand(flags)),
    )
}

function addStreamedCommands(sessions: Command): void {
  const load = () => import('./sessions/follow.ts')
  streamed(sessions, 'follow', 'what it writes, as it comes, until it ends; exits with its code').action(
    async (id: string, flags: StreamedFlags) => process.exit(await (await load()).followCommand(id, flags)),
  )
  streamed(
    sessions,
    'exec',
    'run it once it was approved: its output as it comes, exits with its code',
  ).action(async (id: string, flags: StreamedFlags) =>
    process.exit(await (await load()).execApprovedCommand(id, flags)),
  )
}

type StreamedFlags = NoticeFlags & AskingFlags

function streamed(sessions: Command, name: string, description: string): Command {
  return withProfile(sessions.command(`${name} <id>`).description(description))
    .option('--quiet', 'no hints')
    .option('--json', 'one line of JSON for each event')
    .addHelpText('after', examples(`runbook-agent sessions ${name} 5701046a`))
}

function addReplayCommand(
  sessions: Command,
  replay: (id: string, flags: ReplayFlags) => Promise<number>,
): void {
  withProfile(
    sessions
      .command('replay <id>')
      .description('play it on the terminal as it was, or write a recording for asciinema'),
  )
    .option('--speed <factor>', '2 is twice as fast', '1')
    .option('--max-pause <seconds>', 'longer pauses are shortened to this', '2')
    .option('--cast', 'write asciicast v2, also to a terminal')
    .addHelpText(
      'after',
      examples(
        'runbook-agent sessions replay 5701046a --speed 2',
        'runbook-agent sessions replay 5701046a > session.cast',
      ),
    )
    .action(async (id: string, flags: ReplayFlags) => process.exit(await replay(id, flags)))
}
