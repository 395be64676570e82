import { decodeUtf8, FileRefused, readAll, readSmallFile } from '../../basics/files/small-file.ts'
import { parseDuration } from '../../basics/text/units.ts'
import { isToken } from '../../client/account/account.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import { askUnseen, canAsk } from './terminal/prompts.ts'

/**
 * @param named the file's name in messages
 * @throws Failure, exit code 64
 */
function readGivenFile(path: string, limit: number, named = path): Buffer {
  return refusing(named, () => readSmallFile(path, limit).bytes)
}

export function readGivenText(path: string, limit: number, named = path): string {
  return refusing(named, () => decodeUtf8(readSmallFile(path, limit).bytes))
}

type ErrorClass = abstract new (...args: never[]) => Error

/** Turns a refusal into a Failure: `NAMED does not exist`. @param refusal the class of the errors */
export function refusing<T>(named: string, read: () => T, refusal: ErrorClass = FileRefused): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof refusal ? new Failure(`${named} ${error.message}`, exitCodes.usage) : error
  }
}

/**
 * @param limit in bytes
 * @param what the name of the text in messages
 * @throws Failure for too many bytes, or for bytes that are not UTF-8
 */
export async function readStandardInput(limit: number, what: string): Promise<string> {
  const named = `${what} on standard input`
  const tooLong = () => new Failure(`${named} is longer than ${limit} bytes`, exitCodes.usage)
  const bytes = await readAll(process.stdin as AsyncIterable<Buffer>, limit, tooLong)
  return refusing(named, () => decodeUtf8(bytes))
}

/** Bytes. This is the gateway's limit for a whole request. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024

/**
 * Reads the values `NAME=path` of `-f`. Returns a map of `filesystem:NAME` to the file's content in base64.
 * @throws Failure, exit code 64
 */
export function readFiles(texts: readonly string[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const [name, path] of readPairs(texts, '-f')) files.set(`filesystem:${name}`, encodedFile(path))
  return files
}

function encodedFile(path: string): string {
  return readGivenFile(path, MAX_FILE_BYTES, `-f: the file ${path}`).toString('base64')
}

const NAME = /^[^=\p{Cc}]+(?==)/u

/**
 * Reads values of the form NAME=VALUE. No message shows a value, because it may be a secret.
 * @throws Failure, exit code 64, for a wrong form or a repeated name
 */
export function readPairs(texts: readonly string[], flag: string): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const text of texts) {
    const [name] = NAME.exec(text) ?? []
    if (name === undefined) throw new Failure(`the value of ${flag} has the form name=value`, exitCodes.usage)
    if (pairs.has(name))
      throw new Failure(`${flag} ${name} is given twice: omit one of the two`, exitCodes.usage)
    pairs.set(name, text.slice(name.length + 1))
  }
  return pairs
}

/**
 * Reads the values `NAME=value` of `-e`. Returns a map of `envvar:NAME` to the value in base64.
 * @throws Failure, exit code 64
 */
export function readVariables(texts: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>()
  for (const [name, value] of readPairs(texts, '-e'))
    variables.set(`envvar:${name}`, Buffer.from(value).toString('base64'))
  return variables
}

const MAX_LIMIT = 10_000

export function readLimit(written: string): number {
  if (/^[1-9]\d{0,4}$/.test(written) && Number(written) <= MAX_LIMIT) return Number(written)
  throw new Failure(`the value of --limit is a number from 1 to ${MAX_LIMIT}`, exitCodes.usage)
}

interface SpanFlags {
  readonly since?: string
  readonly until?: string
}

interface Span {
  readonly from: Date | undefined
  readonly to: Date | undefined
}

/** @throws Failure, exit code 64 */
export function askedSpan({ since, until }: SpanFlags): Span {
  const from = since === undefined ? undefined : askedMoment(since, '--since')
  const to = until === undefined ? undefined : askedMoment(until, '--until')
  if (from === undefined || to === undefined || from <= to) return { from, to }
  throw new Failure('--since is later than --until: exchange the two times', exitCodes.usage)
}

const MOMENT = /^(\d{4}-\d\d-(\d\d))(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/

/**
 * Reads a day, a time, or a duration before now. Without a zone, a time is in this machine's zone.
 * @throws Failure, exit code 64
 */
export function askedMoment(text: string, flag: string, now = Date.now()): Date {
  const ago = parseDuration(text)
  const ms = ago === undefined ? parseMoment(text) : now - ago
  if (ms >= 0) return new Date(ms)
  throw new Failure(
    `the value of ${flag} is a time such as 2h, 7d, 2026-01-31, 2026-01-31T14:30 or 2026-01-31T14:30:00Z`,
    exitCodes.usage,
  )
}

/** Returns milliseconds since 1970, or NaN. */
function parseMoment(text: string): number {
  const [, day, ofMonth] = MOMENT.exec(text) ?? []
  // The day is checked, because JavaScript would read 30 February as 2 March.
  if (day === undefined || new Date(`${day}T00:00:00Z`).getUTCDate() !== Number(ofMonth)) return NaN
  return Date.parse(text === day ? `${day}T00:00:00` : text.replace(' ', 'T'))
}

/** Bytes. A JWT with many groups has several KB. */
const MAX_TOKEN_BYTES = 64 * 1024

/**
 * Reads the token, but never from an argument, because every user of this machine can read the arguments of a
 * process.
 * @throws Failure
 */
export async function readToken(tokenFile: string | undefined): Promise<string> {
  const token = (await tokenText(tokenFile)).trim()
  if (isToken(token)) return token
  throw new Failure(
    token === ''
      ? 'the token is empty'
      : 'the token has characters other than visible ASCII: check that this is a token of the gateway',
    exitCodes.usage,
  )
}

async function tokenText(tokenFile: string | undefined): Promise<string> {
  if (tokenFile === undefined && canAsk()) return askUnseen('Token of the gateway:')
  if (tokenFile === undefined || tokenFile === '-') return readStandardInput(MAX_TOKEN_BYTES, 'the token')
  return readGivenText(tokenFile, MAX_TOKEN_BYTES, `the token file ${tokenFile}`)
}

/** Checks that the name can be sent in a header. @throws Failure, exit code 64 */
export function connectionName(text: string): string {
  if (/^[\x21-\x7e]{1,254}$/.test(text)) return text
  throw new Failure(
    'the name of a connection has 1 to 254 visible ASCII characters, no spaces',
    exitCodes.usage,
  )
}
