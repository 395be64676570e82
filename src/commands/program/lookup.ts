import type { Option } from 'commander'
import type { AskingFlags, ListingFlags } from '../client/asking/asking.ts'
import type { AuditExportFlags, AuditListFlags } from '../client/audit/list.ts'
import type { AuditVerifyFlags } from '../client/audit/verify.ts'
import type { ConnectionsFlags, RunbookFlags } from '../client/directory.ts'
import type { ScheduleFlags } from '../client/schedules.ts'
import type { LintFlags } from '../lint/lint.ts'
import {
  FORMATS,
  JSON_OPTION,
  LIMIT,
  LISTED,
  option,
  PROFILE,
  QUIET,
  repeatable,
  span,
  takes,
  type CommandGroup,
  type CommandRow,
} from './command.ts'
import type { GatewayParts } from './product.ts'

const loadRunbooks = () => import('../client/directory.ts')

export const runbooks = ({ findApprovals }: GatewayParts): CommandGroup => ({
  name: 'runbooks',
  does: 'List, show and check runbooks',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List runbooks ${LISTED}`,
      options: [PROFILE, option('--connection <name>', 'only runbooks of this connection'), ...FORMATS],
      examples: ['runbook-agent runbooks list --connection pg'],
      run: async (flags: RunbookFlags) => (await loadRunbooks()).runbooksCommand(flags),
    },
    {
      name: 'show',
      does: 'Show the parameters and connections of a runbook',
      takes: [takes('<runbook>', 'name of the runbook, as in `runbooks list`')],
      options: [
        PROFILE,
        option('--connection <name>', 'show the runbook as it runs on this connection'),
        option(
          '--repository <name>',
          'repository of the runbook; required if several repositories have the file',
        ),
        JSON_OPTION,
      ],
      examples: ['runbook-agent runbooks show ops/hello.runbook.sh'],
      run: async (file: string, flags: RunbookFlags) => (await loadRunbooks()).runbookCommand(file, flags),
    },
    {
      name: 'lint [path]',
      does: 'Find parameters of runbooks that let a user inject code (default path: the current folder)',
      options: [
        option(
          '--portable',
          'judge as for a hoop gateway, which checks parameters only by pattern (default: with all checks of the embedded gateway)',
        ),
        option('--strict', 'also exit with code 65 if lint cannot judge a parameter'),
        option(
          '--gateway <file>',
          'gateway.yaml in which lists of choices must need no approval (default: this is not checked)',
        ),
        JSON_OPTION,
      ],
      examples: ['runbook-agent runbooks lint runbooks', 'runbook-agent runbooks lint --portable --strict'],
      run: async (path: string | undefined, flags: LintFlags) => {
        const { lintCommand } = await import('../lint/lint.ts')
        process.exitCode = await lintCommand(path ?? '.', flags, findApprovals)
      },
    },
  ],
})

const loadConnections = () => import('../client/directory.ts')

export const connections: CommandGroup = {
  name: 'connections',
  does: 'List and show connections',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List connections ${LISTED}`,
      options: [
        PROFILE,
        repeatable(
          '--tag <key=value>',
          'only connections that have this tag (repeatable; a connection must have all tags)',
        ),
        ...FORMATS,
      ],
      examples: ['runbook-agent connections', 'runbook-agent connections list --tag env=prod'],
      run: async (flags: ConnectionsFlags) => (await loadConnections()).connectionsCommand(flags),
    },
    {
      name: 'show',
      does: 'Show a connection',
      takes: [takes('<connection>', 'name of the connection')],
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent connections show pg'],
      run: async (name: string, flags: AskingFlags) =>
        (await loadConnections()).connectionCommand(name, flags),
    },
  ],
}

export const agents: CommandGroup = {
  name: 'agents',
  does: 'List the agents of a gateway',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List agents ${LISTED}`,
      options: [PROFILE, ...FORMATS],
      examples: ['runbook-agent agents'],
      run: async (flags: ListingFlags) => (await import('../client/directory.ts')).agentsCommand(flags),
    },
  ],
}

const loadSchedules = () => import('../client/schedules.ts')
const SCHEDULE = takes('<schedule>', 'name of the schedule')
const RUN_QUIET = option('--quiet', 'print only errors and the id of the session')

export const schedules: CommandGroup = {
  name: 'schedules',
  does: 'List, pause and run schedules (they are set in gateway.yaml)',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List schedules ${LISTED}`,
      options: [PROFILE, ...FORMATS],
      examples: ['runbook-agent schedules'],
      run: async (flags: ListingFlags) => (await loadSchedules()).schedulesCommand(flags),
    },
    {
      name: 'show',
      does: 'Show a schedule and its last runs',
      takes: [SCHEDULE],
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent schedules show nightly'],
      run: async (name: string, flags: AskingFlags) => (await loadSchedules()).scheduleCommand(name, flags),
    },
    changing('run', 'Run a schedule now and print the id of its session', RUN_QUIET, async (name, flags) =>
      (await loadSchedules()).runScheduleCommand(name, flags),
    ),
    changing('pause', 'Pause a schedule', QUIET, async (name, flags) =>
      (await loadSchedules()).pauseCommand(name, true, flags),
    ),
    changing('resume', 'Resume a schedule', QUIET, async (name, flags) =>
      (await loadSchedules()).pauseCommand(name, false, flags),
    ),
  ],
}

function changing(
  name: string,
  does: string,
  quiet: Option,
  run: (name: string, flags: ScheduleFlags) => Promise<number>,
): CommandRow {
  return {
    name,
    does,
    takes: [SCHEDULE],
    options: [PROFILE, quiet, JSON_OPTION],
    examples: [`runbook-agent schedules ${name} nightly`],
    run,
  }
}

const loadWebhooks = () => import('../client/directory.ts')

export const webhooks: CommandGroup = {
  name: 'webhooks',
  does: 'List and test webhooks (they are set in gateway.yaml)',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List webhooks ${LISTED} (only for admins and auditors)`,
      options: [PROFILE, ...FORMATS],
      examples: ['runbook-agent webhooks'],
      run: async (flags: ListingFlags) => (await loadWebhooks()).webhooksCommand(flags),
    },
    {
      name: 'test',
      does: 'Send a test message to a webhook (admins)',
      takes: [takes('<webhook>', 'name of the webhook')],
      options: [PROFILE, JSON_OPTION],
      examples: ['runbook-agent webhooks test chat'],
      run: async (name: string, flags: AskingFlags) => (await loadWebhooks()).testWebhookCommand(name, flags),
    },
  ],
}

const loadAudit = () => import('../client/audit/list.ts')

export const audit = ({ verifyState }: GatewayParts): CommandGroup => ({
  name: 'audit',
  does: 'Read and verify the audit log (admins and auditors)',
  commands: [
    {
      name: 'list',
      isDefault: true,
      does: `List the newest entries ${LISTED}`,
      options: [
        PROFILE,
        option('--actor <name>', 'only entries of this user'),
        option(
          '--type <type>',
          'only entries about objects of this type: sessions, batches, reviews, tokens, users, gateway, ...',
        ),
        option(
          '--action <action>',
          'only entries with this action: view, download, execute, run, kill, decide, sign-in, ...',
        ),
        option('--failed', 'only entries of refused or failed actions'),
        option('--who <text>', 'only entries of users whose name contains this text'),
        option(
          '--text <text>',
          'only entries that contain this text in an id, path, address, error or detail',
        ),
        ...span('entries'),
        LIMIT,
        ...FORMATS,
      ],
      examples: ['runbook-agent audit list --actor ann --since 7d', 'runbook-agent audit list --failed'],
      run: async (flags: AuditListFlags) => (await loadAudit()).auditListCommand(flags),
    },
    {
      name: 'export',
      does: 'Export the audit log as JSON lines, oldest first',
      options: [
        PROFILE,
        option('--after <sequence>', 'only entries with a higher sequence number than this number', '0'),
      ],
      examples: ['runbook-agent audit export > audit.jsonl'],
      run: async (flags: AuditExportFlags) => (await loadAudit()).auditExportCommand(flags),
    },
    {
      name: 'verify',
      does: 'Check that no entry of the audit log was changed, removed or moved',
      options: [
        option('--state <folder>', 'state folder of the gateway to check; the gateway may be running'),
        option('--file <file>', 'exported file to check, written by `audit export`'),
        option(
          '--expect <hash>',
          'hash of an entry that you noted earlier; the check fails if no entry has this hash',
        ),
        JSON_OPTION,
      ],
      examples: ['runbook-agent audit verify --state state', 'runbook-agent audit verify --file audit.jsonl'],
      run: async (flags: AuditVerifyFlags) => {
        process.exitCode = await (
          await import('../client/audit/verify.ts')
        ).auditVerifyCommand(flags, verifyState)
      },
    },
  ],
})
