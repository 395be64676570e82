import { Option, type Command } from 'commander'
import { exits } from '../failure.ts'
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
    .description('Sign in to a gateway with a browser or a token')
    .requiredOption('--api-url <url>', 'REST address of the gateway, for example https://gateway.example')
    .option(
      '--grpc-url <url>',
      'address of its streams, if the gateway does not announce it: grpcs://host:port',
    )
    .option('--token-file <file>', 'file that holds the token; - or no terminal: standard input')
    .option('--browser', 'sign in with a browser on this machine, if the gateway offers it')
    .option('--no-browser', 'sign in with a browser on another machine: prints a link and a code')
    .option('--allow-plaintext', 'send the token to another machine without TLS')
    .option('--profile <name>', 'name for this sign-in, to have several; `use` selects one')
    .option('--quiet', 'print only errors')
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
    .description('Forget the stored token')
    .option('--profile <name>', 'forget the token of this profile')
    .option('--quiet', 'print only errors')
    .addHelpText('after', examples('runbook-agent logout'))
    .action(async (flags: { profile?: string; quiet?: boolean }) =>
      (await import('./account/logout.ts')).logoutCommand(flags),
    )
}

export function addUseCommand(root: Command): void {
  root
    .command('use')
    .description('Select or list profiles')
    .argument('[profile]', 'profile to select; without it, all are listed')
    .option('--quiet', 'print only errors and the list')
    .option('--json', 'print the list as JSON')
    .addHelpText('after', examples('runbook-agent use', 'runbook-agent use production'))
    .action(
      exits(async (name: string | undefined, flags: UseFlags) =>
        (await import('./account/use.ts')).useCommand(name, flags),
      ),
    )
}

const NAME = 'name of the connection'

export function addRunCommand(root: Command): void {
  const command = withLocal(root.command('run').description('Run a runbook'))
    .argument('<connection>', `${NAME}; omit it with --on and --tag`)
    .argument('[file]', 'path of the runbook in its repository; with --local a file on this machine')
  withSeveral(withKept(withGuardedArgs(command, 'Parameters are given with -p name=value')))
    .option('-p, --param <name=value>', 'parameter of the runbook (repeatable)', collected)
    .option(
      '--param-file <file>',
      'file with parameters as a YAML or JSON map, for secrets; - is standard input',
    )
    .option('-e, --env <NAME=value>', 'variable for the command (repeatable)', collected)
    .option(
      '-f, --file <NAME=path>',
      'file for the command: the variable NAME holds its path (repeatable)',
      collected,
    )
    .option('--ref <sha>', 'commit to read the runbook from (default: the newest; hoop gateways ignore it)')
    .option('--repository <name>', 'repository of the runbook, if several have the file')
    .option('--defaults', 'use default values without asking')
    .option('--dry-run', 'print the request and the script, and run nothing')
    .option('--no-wait', 'print the session once it runs or waits for approval, and exit')
    .option('--quiet', 'print no progress')
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
      exits(
        async (
          connection: string,
          file: string | undefined,
          clientArgs: string[],
          flags: Parameters<typeof dispatchRun>[1],
        ) => dispatchRun({ connection, file, clientArgs }, flags),
      ),
    )
}

/** For a batch. */
function withSeveral(command: Command): Command {
  return command
    .option('--on <names>', 'run on these connections: a,b,c', collected)
    .option('--tag <key=value>', 'run on the connections with this tag (repeatable)', collected)
    .option('--waves <sizes>', 'sizes of the waves: counts, percentages and rest (default: 1,rest)')
    .option('--parallel <count>', 'parallel runs per wave (default: 10)')
    .option('--stop-after <count>', 'stop after this many failures (count or %, default: 1)')
    .option('--yes', 'do not ask before a batch starts')
}

/** What stays with the session. */
function withKept(command: Command): Command {
  return command
    .option('--metadata <name=value>', 'metadata of the session (repeatable)', collected)
    .option('--jira <field=value>', 'field of the Jira issue (repeatable)', collected)
}

export function addExecCommand(root: Command): void {
  const command = withLocal(
    withVariables(root.command('exec').description('Run a script on a connection')),
  ).argument('<connection>', NAME)
  withGuardedArgs(command, 'A script is given with -i, a file that holds one with -f')
    .option('-i, --input <script>', 'the script; it may be empty')
    .option(
      '-f, --file <file>',
      'file that holds the script; - is standard input (default, unless that is a terminal)',
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
    .action(
      exits(async (connection: string, args: string[], flags: Parameters<typeof dispatchExec>[2]) =>
        dispatchExec(connection, args, flags),
      ),
    )
}

export function addConnectCommand(root: Command): void {
  const command = withVariables(
    withProfile(root.command('connect').description('Open a terminal on a connection; Enter ~ . closes it')),
  ).argument('<connection>', NAME)
  withClientArgs(command, 'For a single command use runbook-agent exec')
    .addHelpText(
      'after',
      examples(
        'runbook-agent connect bash',
        'runbook-agent connect pg -e PGOPTIONS=-cdefault_transaction_read_only=on',
      ),
    )
    .action(
      exits(async (connection: string, args: string[], flags: ConnectFlags) =>
        (await import('./stream/connect.ts')).connectCommand(connection, args, flags),
      ),
    )
}

function withLocal(command: Command): Command {
  return withProfile(command)
    .option('--local', 'run on this machine, without a gateway')
    .option(
      '--config <file>',
      'with --local: gateway.yaml that has the connection (default: the words after -- are the command)',
    )
}

function withVariables(command: Command): Command {
  return command
    .option('-e, --env <NAME=value>', 'variable for the command (repeatable)', collected)
    .option('--quiet', 'print no hints')
    .option('--json', 'print messages of this program as JSON lines on standard error')
}

export function addSessionCommands(root: Command): void {
  const sessions = refuseUnknownCommands(
    root.command('sessions').description('List, show and end sessions; the beginning of an id is enough'),
  )
  const load = () => import('./sessions/sessions.ts')
  addSessionList(sessions)
  addSessionExport(sessions)
  withProfile(sessions.command('show <id>').description('Show a session and its script'))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('runbook-agent sessions show 5701046a'))
    .action(exits(async (id: string, flags: AskingFlags) => (await load()).showCommand(id, flags)))
  withProfile(sessions.command('output <id>').description('Print the output of a session, byte for byte'))
    .addHelpText('after', examples('runbook-agent sessions output 5701046a > report.csv'))
    .action(exits(async (id: string, flags: AskingFlags) => (await load()).outputCommand(id, flags)))
  withProfile(sessions.command('kill <id>').description('End a session'))
    .option('--quiet', 'print only errors')
    .addHelpText('after', examples('runbook-agent sessions kill 5701046a'))
    .action(
      exits(async (id: string, flags: { quiet?: boolean; profile?: string }) =>
        (await load()).killCommand(id, flags),
      ),
    )
  addStreamedCommands(sessions)
  addReplayCommand(sessions, async (id, flags) => (await load()).replayCommand(id, flags))
}

export function addBackupCommand(root: Command): void {
  withProfile(root.command('backup <file>').description("Back up a gateway's state while it serves"))
    .option('--json', 'print what the backup holds as JSON')
    .addHelpText('after', examples('runbook-agent backup gateway-2026-01-31.backup'))
    .action(
      exits(async (file: string, flags: AskingFlags) =>
        (await import('../backup/backup.ts')).backupCommand(file, flags),
      ),
    )
}

function addSessionList(sessions: Command): void {
  withProfile(
    sessions.command('list', { isDefault: true }).description(`List the newest sessions: ${LISTED}`),
  )
    .option('--runbook <file>', 'only sessions of this runbook')
    .option('--user <name>', 'only sessions of this user (hoop gateways: the id of the user)')
    .addOption(
      new Option('--status <status>', 'only sessions in this state').choices(['open', 'ready', 'done']),
    )
    .option('--connection <name>', 'only sessions of this connection')
    .option(
      '--since <time>',
      'only sessions that began after this time: 2h, 7d, 2026-01-31, 2026-01-31T14:30',
    )
    .option('--until <time>', 'only sessions that began before this time')
    .option('--limit <count>', 'maximum number of rows', '20')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'runbook-agent sessions',
        'runbook-agent sessions list --runbook ops/hello.runbook.sh --since 7d',
        'runbook-agent sessions list --connection pg --limit 100',
      ),
    )
    .action(exits(async (flags: ListFlags) => (await import('./sessions/list.ts')).listCommand(flags)))
}

function addSessionExport(sessions: Command): void {
  withProfile(sessions.command('export').description('Export sessions as JSON lines, oldest first'))
    .option('--user <name>', 'only sessions of this user')
    .option('--connection <name>', 'only sessions of this connection')
    .option(
      '--since <time>',
      'only sessions that began after this time: 2h, 7d, 2026-01-31, 2026-01-31T14:30',
    )
    .option('--until <time>', 'only sessions that began before this time')
    .option('--after <cursor>', 'only sessions after this cursor')
    .option('--output <file>', 'file to create, mode 0600 (default: standard output)')
    .option('--resume', 'continue the file of an interrupted export')
    .addHelpText(
      'after',
      examples(
        'runbook-agent sessions export --until 1d --output sessions.jsonl',
        'runbook-agent sessions export --output sessions.jsonl --resume',
      ),
    )
    .action(exits(async (flags: ExportFlags) => (await import('./sessions/export.ts')).exportCommand(flags)))
}

function addStreamedCommands(sessions: Command): void {
  const load = () => import('./sessions/follow.ts')
  streamed(sessions, 'follow', 'Follow the output of a session to its end').action(
    exits(async (id: string, flags: StreamedFlags) => (await load()).followCommand(id, flags)),
  )
  streamed(sessions, 'exec', 'Run an approved session and follow its output').action(
    exits(async (id: string, flags: StreamedFlags) => (await load()).execApprovedCommand(id, flags)),
  )
}

type StreamedFlags = NoticeFlags & AskingFlags

function streamed(sessions: Command, name: string, description: string): Command {
  return withProfile(sessions.command(`${name} <id>`).description(description))
    .option('--quiet', 'print no hints')
    .option('--json', 'print one line of JSON per event')
    .addHelpText('after', examples(`runbook-agent sessions ${name} 5701046a`))
}

function addReplayCommand(
  sessions: Command,
  replay: (id: string, flags: ReplayFlags) => Promise<number>,
): void {
  withProfile(
    sessions
      .command('replay <id>')
      .description('Play a session on this terminal, or write a recording for asciinema'),
  )
    .option('--speed <factor>', 'speed of the replay: 2 is twice as fast', '1')
    .option('--max-pause <seconds>', 'longest pause; longer ones are shortened', '2')
    .option('--cast', 'write asciicast v2, even to a terminal')
    .addHelpText(
      'after',
      examples(
        'runbook-agent sessions replay 5701046a --speed 2',
        'runbook-agent sessions replay 5701046a > session.cast',
      ),
    )
    .action(exits(async (id: string, flags: ReplayFlags) => replay(id, flags)))
}
