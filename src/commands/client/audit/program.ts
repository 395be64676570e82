import type { Command } from 'commander'
import { exits } from '../../failure.ts'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import { examples, LISTED, withProfile } from '../account/flags.ts'
import type { AuditExportFlags } from './export.ts'
import type { AuditListFlags } from './list.ts'
import type { AuditVerifyFlags } from './verify.ts'

/** Who saw, changed or decided what. */
export function addAuditCommands(root: Command): void {
  const audit = refuseUnknownCommands(
    root.command('audit').description('Read and verify the audit log (admins and auditors)'),
  )
  addAuditList(audit)
  withProfile(audit.command('export').description('Export the audit log as JSON lines, oldest first'))
    .option('--after <sequence>', 'only entries after this one', '0')
    .addHelpText('after', examples('runbook-agent audit export > audit.jsonl'))
    .action(exits(async (flags: AuditExportFlags) => (await import('./export.ts')).auditExportCommand(flags)))
  audit
    .command('verify')
    .description('Check that no entry was altered, removed or moved')
    .option('--state <folder>', 'state folder of a gateway, which may be running')
    .option('--file <file>', 'file that audit export has written')
    .option('--expect <hash>', 'fail unless an entry has this hash, which you keep elsewhere')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples('runbook-agent audit verify --state state', 'runbook-agent audit verify --file audit.jsonl'),
    )
    .action(async (flags: AuditVerifyFlags) => {
      process.exitCode = await (await import('./verify.ts')).auditVerifyCommand(flags)
    })
}

function addAuditList(audit: Command): void {
  withProfile(audit.command('list', { isDefault: true }).description(`List the newest entries: ${LISTED}`))
    .option('--actor <name>', 'only entries of this user')
    .option(
      '--type <type>',
      'only entries about this kind of object: sessions, batches, reviews, tokens, users, gateway, ...',
    )
    .option(
      '--action <action>',
      'only entries with this action: view, download, execute, run, kill, decide, sign-in, ...',
    )
    .option('--failed', 'only entries about refusals and failures')
    .option('--since <time>', 'only entries after this time: 2h, 7d, 2026-01-31, 2026-01-31T14:30')
    .option('--until <time>', 'only entries before this time')
    .option('--limit <count>', 'maximum number of rows', '20')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples('runbook-agent audit list --actor ann --since 7d', 'runbook-agent audit list --failed'),
    )
    .action(exits(async (flags: AuditListFlags) => (await import('./list.ts')).auditListCommand(flags)))
}
