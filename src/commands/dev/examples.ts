import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { findAccount, type Account } from '../../client/account/account.ts'
import { call } from '../../client/rest/call.ts'
import { batchContract } from '../../contract/batches.ts'
import { executionContract } from '../../contract/executions.ts'
import { reviewContract } from '../../contract/reviews.ts'
import { scheduleContract } from '../../contract/schedules.ts'
import { sessionContract, sessionListContract } from '../../contract/sessions.ts'
import type { Examples } from '../../gateway/settings/examples.ts'
import { ORDERS, runbooks, SCHEDULE, SHOP, SHOP_NAMES, withoutExamples } from './first-settings.ts'
import type { DevState } from './state.ts'

/** The account of the user whose token is in the file. */
export function accountOf(http: string, tokenFile: string): Account {
  const env = { HOOP_APIURL: http, HOOP_TOKEN: readFileSync(tokenFile, 'utf8').trim() }
  return findAccount({ env, stored: undefined, file: tokenFile })
}

/**
 * Runs the examples through the gateway, as people would: a request that waits, a batch with one failure, a
 * schedule, and last a table, so that the table is the newest session. Runs only those that an earlier start
 * has left, and deletes the mark when all have been asked for.
 * @throws ApiError when the gateway refuses a request, or when `signal` aborts
 */
export async function runExamples(http: string, state: DevState, signal: AbortSignal): Promise<void> {
  const admin = accountOf(http, state.tokenFile)
  const requester = accountOf(http, state.requesterTokenFile)
  const hasSession = async (query: Readonly<Record<string, string>>) => {
    const { data } = await call(admin, sessionListContract.list, {}, { query, signal })
    return data.length > 0
  }
  const run = (account: Account, file: string, parameters: Readonly<Record<string, string>>) =>
    call(
      account,
      executionContract.runbook,
      { name: ORDERS },
      { body: { file_name: file, parameters }, signal },
    )
  if (!(await hasSession({ runbook: runbooks.refund })))
    await run(requester, runbooks.refund, { order: '4711', amount: '250.00', reason: 'late' })
  const batch = {
    file_name: runbooks.stock,
    repository: SHOP,
    connections: [...SHOP_NAMES],
    waves: 'rest',
    stop_after: SHOP_NAMES.length,
  }
  const batches = await call(admin, batchContract.list, {}, { signal })
  if (batches.length === 0) await call(admin, batchContract.create, {}, { body: batch, signal })
  if (!(await hasSession({ schedule: SCHEDULE })))
    await call(admin, scheduleContract.run, { name: SCHEDULE }, { signal })
  if (!(await hasSession({ runbook: runbooks.revenue }))) await run(admin, runbooks.revenue, { days: '14' })
  rmSync(state.unfinishedExamples, { force: true })
}

/** @param http the address of the gateway, which is known before anybody can call `remove` */
export function examplesIn(state: DevState, http: () => string): Examples {
  const { configFile, shopFolder, requesterTokenFile } = state
  const settings = () => readFileSync(configFile, 'utf8')
  return {
    areThere: () => existsSync(configFile) && withoutExamples(settings()) !== settings(),
    remove: async (reload) => {
      const before = settings()
      replaceFile(configFile, withoutExamples(before))
      try {
        await reload()
      } catch (error) {
        replaceFile(configFile, before)
        throw error
      }
      await withdrawRequests(accountOf(http(), state.tokenFile))
      rmSync(state.unfinishedExamples, { force: true })
      rmSync(requesterTokenFile, { force: true })
      if (hasChanges(shopFolder)) return shopFolder
      rmSync(shopFolder, { recursive: true, force: true })
      return undefined
    },
  }
}

/** A request whose connection is gone would wait until it expires. */
async function withdrawRequests(admin: Account): Promise<void> {
  const names: readonly string[] = [ORDERS, ...SHOP_NAMES]
  for (const { status, connection, session } of await call(admin, reviewContract.list, {})) {
    const waits = status === 'PENDING' || status === 'APPROVED'
    if (waits && names.includes(connection)) await call(admin, sessionContract.kill, { id: session })
  }
}

/** A program that reads the file meanwhile reads all of the old or all of the new one. */
function replaceFile(file: string, content: string): void {
  const unfinished = `${file}.new`
  rmSync(unfinished, { force: true })
  writeFileSync(unfinished, content, { mode: 0o600, flag: 'wx' })
  renameSync(unfinished, file)
}

/** Whether the user has changed or committed anything in the repository since it was made. */
function hasChanges(folder: string): boolean {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim()
  return (
    existsSync(folder) && (git('rev-list', '--all', '--count') !== '1' || git('status', '--porcelain') !== '')
  )
}
