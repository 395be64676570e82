import path from 'node:path'
import { oneLine } from '../../basics/text/printable.ts'
import { verifyChain, type Verification } from '../../contract/audit-chain.ts'
import { readAuditFile } from '../../gateway/people/audit/audit-file.ts'
import { explain } from '../exit-codes.ts'

/**
 * Checks the audit log in the state folder of a gateway, which may be running.
 * @param expect a hash that was stored elsewhere
 * @throws Failure
 */
export function verifyAuditOfState(state: string, expect: string | undefined): Verification {
  const file = path.resolve(state, 'history.sqlite')
  try {
    return readAuditFile(file, ({ anchor, links }) => verifyChain(links, anchor, expect))
  } catch (error) {
    throw explain(
      error,
      `cannot read the audit log in ${oneLine(file)}`,
      'Give the state folder of a gateway with --state',
    )
  }
}
