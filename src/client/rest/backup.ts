import { backupContract } from '../../contract/gateway.ts'
import type { Account } from '../account/account.ts'
import { askWell } from './json.ts'

/** Making the copy takes as long as the history is large: some ten seconds for each GB. */
const ANSWER_MS = 60 * 60 * 1000

/** The file of a backup of this moment. Read it to the end. @throws ApiError */
export async function downloadBackup(account: Account): Promise<AsyncIterable<Buffer>> {
  const { method, path } = backupContract.make
  return (await askWell(account, { method, path, answerMs: ANSWER_MS })).body
}
