import type { Command } from 'commander'
import { refuseUnknownCommands } from '../../program/unknown-command.ts'
import { examples, LISTED, withProfile } from '../account/flags.ts'
import type { AuditExportFlags } from './export.ts'
import type { AuditListFlags } from './list.ts'
import type { AuditVerifyFlags } from './verify.ts'

/** Who saw, changed or decided what. */
export function addAuditCommands(root: Command): void {
  const audit = refuseUnknownCommands(
    root.command('audit').description('who saw, changed or decided what, for members of admin and auditor'),
  )
  addAuditList(audit)
  withProfile(audit.command('export').description('all of it as JSON lines, the oldest first'))
    .option('--after <sequence>', 'only what stands behind this entry', '0')
    .addHelpText('after', examples('runbook-agent audit export > audit.jsonl'))
    .action(async (flags: AuditExportFlags) =>
      process.exit(await (await import('./export.ts')).auditExportCommand(flags)),
    )
  audit
    .command('verify')
    .description('whether an entry was altered, removed or moved; asks no gateway')
    .option('--state <folder>', "a gateway's state folder, also while it serves")
    .option('--file <file>', 'what audit export has written')
    .option('--expect <hash>', 'fail unless an entry has this hash, which was kept elsewhere')
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
  withProfile(audit.command('list', { isDefault: true }).description(`the newest first: ${LISTED}`))
    .option('--actor <name>', 'of this user only')
    .option('--type <type>', 'about these things only: sessions, reviews, users, gateway, audit')
    .option('--action <action>', 'view, download, execute, run, kill, decide, sign-in, ...')
    .option('--failed', 'only what was refused or went wrong')
    .option('--since <time>', 'since then: 2h, 7d, 2026-01-31, 2026-01-31T14:30')
    .option('--until <time>', 'until then')
    .option('--limit <count>', 'at most so many', '20')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples('runbook-agent audit list --actor ann --since 7d', 'runbook-agent audit list --failed'),
    )
    .action(async (flags: AuditListFlags) =>
      process.exit(await (await import('./list.ts')).auditListCommand(flags)),
    )
}
