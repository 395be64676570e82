import { oneLine } from '../../../basics/text/one-line.ts'
import type { Account } from '../../../client/account/account.ts'
import { call } from '../../../client/rest/call.ts'
import { batchContract } from '../../../contract/batches.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, unlessLacking, type AskingFlags, listingCommand, showingCommand } from '../asking/asking.ts'
import { readAccount } from '../asking/account-from-env.ts'
import { clientFailure } from '../report/failures.ts'
import { batchDetails, BATCH_COLUMNS, countsOf, differencesText, type BatchRead } from './texts.ts'
import { Interrupts } from '../terminal/leaving.ts'
import { watchBatch, type WatchFlags } from './watch.ts'

const listBatches = (account: Account) => call(account, batchContract.list, {})
const LIST = { things: 'batches', endpoint: 'GET /api/batches', fetch: listBatches, columns: BATCH_COLUMNS }
const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function batchesCommand(flags: AskingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}

export function batchCommand(id: string, flags: AskingFlags): Promise<number> {
  const fetch = (account: Account) => showBatch(account, id)
  return showingCommand(flags, `cannot show batch ${id}`, fetch, batchDetails)
}

export function diffCommand(id: string, flags: AskingFlags): Promise<number> {
  const compare = async (account: Account) =>
    call(account, batchContract.differences, { id: await wholeId(account, id) })
  return showingCommand(flags, `cannot compare batch ${id}`, compare, differencesText)
}

export interface StopFlags extends AskingFlags {
  readonly kill?: boolean
  readonly quiet?: boolean
}

export async function stopCommand(id: string, flags: StopFlags): Promise<number> {
  return asking(flags.profile, `cannot stop batch ${id}`, async (account) => {
    const body = { kill: flags.kill === true }
    const batch = await call(account, batchContract.stop, { id: await wholeId(account, id) }, { body })
    if (flags.quiet !== true) process.stderr.write(`${stoppedText(batch)}\n`)
  })
}

/** `runbook-agent batches exec`: runs an approved batch and follows it to its end. */
export async function execBatchCommand(id: string, flags: WatchFlags): Promise<number> {
  const account = readAccount(flags.profile)
  try {
    const batch = await showBatch(account, id)
    using interrupts = new Interrupts()
    return await watchBatch(account, batch, flags, interrupts)
  } catch (error) {
    throw clientFailure(error, oneLine(`cannot run batch ${id}`))
  }
}

async function showBatch(account: Account, id: string): Promise<BatchRead> {
  return call(account, batchContract.show, { id: await wholeId(account, id) })
}

function stoppedText(batch: BatchRead): string {
  const { id, status } = batch
  const counts = countsOf(batch)
  const goes = status === 'running' ? `, ${counts.running} still run` : ''
  return oneLine(
    `batch ${id} is ${status === 'running' ? 'stopping' : status}: ${counts.not_begun} have not begun${goes}`,
  )
}

/**
 * The id that begins with the text.
 * @throws Failure, exit code 64, when no batch, or more than one, matches; ApiError
 */
async function wholeId(account: Account, text: string): Promise<string> {
  if (WHOLE_ID.test(text)) return text.toLowerCase()
  const batches = await unlessLacking(account, LIST, listBatches(account))
  const found = batches.filter(({ id }) => text !== '' && id.startsWith(text.toLowerCase()))
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only.id
  const what = only === undefined ? 'no batch begins' : `${found.length} batches begin`
  throw new Failure(`${what} with ${oneLine(text)}: runbook-agent batches lists them`, exitCodes.usage)
}
