import { isatty } from 'node:tty'
import { oneLine, printableJson } from '../../../basics/text/printable.ts'
import { itemTable, itemTsv, type ItemColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { clientFailure } from '../report/failures.ts'
import { ByteOutput, ReaderGone } from '../terminal/output.ts'
import { readAccount } from './account.ts'

export interface AskingFlags {
  readonly profile?: string
  readonly json?: boolean
}

type ListFormat = 'table' | 'json' | 'tsv'

export interface ListingFlags extends AskingFlags {
  readonly format?: ListFormat
}

const DEFAULT_COLUMNS = 80

type Act = (account: Account, stdout: ByteOutput) => Promise<void>

/**
 * Calls `act`. If the reader closes the pipe early (`| head`), this is no failure.
 * @param doing begins the failure's message: `cannot list sessions`
 */
export async function asking(profile: string | undefined, doing: string, act: Act): Promise<number> {
  const account = readAccount(profile)
  try {
    await act(account, new ByteOutput(1))
  } catch (error) {
    if (!(error instanceof ReaderGone)) throw clientFailure(error, oneLine(doing), account)
  }
  return exitCodes.done
}

/**
 * On a terminal prints `text`, otherwise one JSON document.
 * @param text makes printable text for a terminal of this width
 */
export async function printAnswer(
  flags: { readonly json?: boolean },
  json: unknown,
  text: (width: number) => string,
  stdout = new ByteOutput(1),
): Promise<void> {
  const printed = isJson(flags) ? `${printableJson(json, 2)}\n` : text(lineWidth())
  await stdout.write(Buffer.from(printed))
}

/** A file or a pipe has lines of any width. */
function lineWidth(): number {
  return isatty(1) ? process.stdout.columns || DEFAULT_COLUMNS : Infinity
}

/**
 * Turns the error about a missing endpoint into an explanation. hoop's gateway answers with plain text, and
 * older gateways with JSON. Use this only for lists, where every 404 means a missing endpoint.
 */
export async function unlessLacking<T>(
  { rest }: Account,
  { things, endpoint }: { readonly things: string; readonly endpoint: string },
  asked: Promise<T>,
): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof ApiError) || !isNoEndpoint(error)) throw error
    throw new Failure(
      `the gateway ${rest.url} has no ${things}: it does not have the endpoint ${endpoint} (HTTP status ${error.status ?? 404})`,
      exitCodes.unreachable,
    )
  }
}

function isNoEndpoint({ code, status }: ApiError): boolean {
  if (code !== undefined) return code === 'endpoint-not-found'
  return status === 404 || status === 405
}

/**
 * Makes lines of the form `name value`, and omits empty values. Values may contain any characters. @param
 * indent begins each line
 */
export function factLines(facts: readonly (readonly [name: string, value: string])[], indent = ''): string {
  const shown = facts.filter(([, value]) => value !== '').map((fact) => fact.map(oneLine))
  const width = Math.max(0, ...shown.map(([name = '']) => name.length))
  return shown.map(([name = '', value = '']) => `${indent}${name.padEnd(width)}  ${value}\n`).join('')
}

interface Raw {
  readonly raw: object
}

/** Prints a table, TSV, or as JSON the gateway's objects unchanged. */
export async function printList<Item extends Raw>(
  flags: ListingFlags,
  columns: readonly ItemColumn<Item>[],
  items: readonly Item[],
  stdout = new ByteOutput(1),
): Promise<void> {
  await stdout.write(Buffer.from(listText(formatOf(flags), columns, items)))
}

function listText<Item extends Raw>(
  format: ListFormat,
  columns: readonly ItemColumn<Item>[],
  items: readonly Item[],
): string {
  switch (format) {
    case 'table':
      return itemTable(columns, items, lineWidth())
    case 'tsv':
      return itemTsv(columns, items)
    case 'json':
      return `${printableJson(
        items.map(({ raw }) => raw),
        2,
      )}\n`
  }
}

interface Listing<Item> {
  readonly things: string
  readonly endpoint: string
  /** @param isTable whether a table for people is printed, for which more requests may be needed */
  readonly fetch: (account: Account, isTable: boolean) => Promise<readonly Item[]>
  readonly columns: readonly ItemColumn<Item>[]
}

export async function listingCommand<Item extends Raw>(
  flags: ListingFlags,
  { things, endpoint, fetch, columns }: Listing<Item>,
): Promise<number> {
  const isTable = !isJson(flags)
  return asking(flags.profile, `cannot list ${things}`, async (account, stdout) => {
    const items = await unlessLacking(account, { things, endpoint }, fetch(account, isTable))
    await printList(flags, columns, items, stdout)
  })
}

/** Whether to print JSON: on request, or if no format was asked for and stdout is not a terminal. */
export function isJson(flags: ListingFlags): boolean {
  return formatOf(flags) === 'json'
}

/** @throws Failure, exit code 64 */
function formatOf({ json, format }: ListingFlags): ListFormat {
  if (json === true && format !== undefined && format !== 'json')
    throw new Failure(`--json and --format ${format} exclude each other`, exitCodes.usage)
  if (json === true) return 'json'
  return format ?? (isatty(1) ? 'table' : 'json')
}

/** Shows one object. JSON is printed as the gateway sent it. @param problem begins the failure's message */
export async function showingCommand<Item extends Raw>(
  flags: AskingFlags,
  problem: string,
  fetch: (account: Account) => Promise<Item>,
  text: (item: Item, width: number) => string,
): Promise<number> {
  return asking(flags.profile, problem, async (account, stdout) => {
    const item = await fetch(account)
    await printAnswer(flags, item.raw, (width) => text(item, width), stdout)
  })
}
