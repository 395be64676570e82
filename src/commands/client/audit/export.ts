import { auditEntriesAfter } from '../../../client/rest/audit.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, unlessLacking, type AskingFlags } from '../account/asking.ts'
import { AUDIT_ENDPOINT } from './list.ts'

export interface AuditExportFlags extends AskingFlags {
  readonly after: string
}

/** `runbook-agent audit export`: JSON lines, the oldest first, for `audit verify --file`. */
export async function auditExportCommand(flags: AuditExportFlags): Promise<number> {
  if (!/^\d{1,15}$/.test(flags.after))
    throw new Failure('--after is the sequence of an entry, or 0', exitCodes.usage)
  return asking(flags.profile, 'cannot export the audit log', async (account, stdout) => {
    const print = async () => {
      for await (const entry of auditEntriesAfter(account, Number(flags.after)))
        await stdout.write(Buffer.from(`${JSON.stringify(entry.raw)}\n`))
    }
    await unlessLacking(account, AUDIT_ENDPOINT, print())
  })
}
