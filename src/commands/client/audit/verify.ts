import { closeSync, openSync, readSync } from 'node:fs'
import { oneLine } from '../../../basics/text/printable.ts'
import { linkOfLine, verifyChain, type Verification } from '../../../contract/audit-chain.ts'
import { exitCodes, explain, Failure } from '../../exit-codes.ts'

export interface AuditVerifyFlags {
  readonly state?: string
  readonly file?: string
  readonly expect?: string
  readonly json?: boolean
}

/** Checks the audit log in a state folder. */
export type VerifyState = (state: string, expect: string | undefined) => Promise<Verification>

/** @returns the exit code: 65 if the chain is broken */
export async function auditVerifyCommand(flags: AuditVerifyFlags, verifyState: VerifyState): Promise<number> {
  const { state, file, expect } = flags
  if ((state === undefined) === (file === undefined))
    throw new Failure('audit verify needs either --state FOLDER or --file FILE, not both', exitCodes.usage)
  if (expect !== undefined && !/^[0-9a-f]{64}$/.test(expect))
    throw new Failure(
      'the value of --expect is a hash of 64 hexadecimal digits, as audit verify prints it',
      exitCodes.usage,
    )
  const found = file === undefined ? await verifyState(state ?? '', expect) : ofFile(file, expect)
  const isWhole = found.faults.length === 0 && (expect === undefined || found.hasExpected)
  const json = { whole: isWhole, ...found }
  process.stdout.write(flags.json === true ? `${JSON.stringify(json, null, 2)}\n` : report(found, expect))
  return isWhole ? exitCodes.done : exitCodes.findings
}

function ofFile(file: string, expect: string | undefined): Verification {
  try {
    return verifyChain(readLinks(file), undefined, expect)
  } catch (error) {
    throw explain(
      error,
      `cannot read ${oneLine(file)}`,
      'Give a file that audit export has written with --file',
    )
  }
}

function* readLinks(file: string) {
  let number = 0
  for (const line of readLines(file)) {
    number += 1
    if (line !== '') yield linkOfLine(line ?? '', number)
  }
}

function report(
  { entries, first, head, faults, hasExpected }: Verification,
  expect: string | undefined,
): string {
  const lines = faults.map(({ says }) => says)
  if (expect !== undefined && !hasExpected)
    lines.push(`no entry has the hash ${expect}: the log was rewritten or cut off, or the entry was removed`)
  if (lines.length === 0) lines.push(`the chain is whole: ${entries} entries${range(first, head.sequence)}`)
  lines.push(`newest: ${head.sequence} ${head.hash}`)
  return `${lines.join('\n')}\n`
}

function range(first: number | undefined, last: number): string {
  if (first === undefined) return ''
  const removed = first > 1 ? `, entries before ${first} were removed or omitted` : ''
  return `, ${first} to ${last}${removed}`
}

/** Bytes. An entry has about 12 KiB at most. */
const MAX_LINE_BYTES = 1024 * 1024
const READ_BYTES = 256 * 1024
const NEWLINE = 0x0a

/**
 * Reads the file in pieces, because it may be larger than the memory. Yields undefined for a line that is too
 * long to be an entry.
 */
export function* readLines(file: string): Generator<string | undefined> {
  const descriptor = openSync(file, 'r')
  try {
    const line = new Line()
    const chunk = Buffer.alloc(READ_BYTES)
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      let from = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < size; end = chunk.indexOf(NEWLINE, from)) {
        line.add(chunk.subarray(from, end))
        yield line.take()
        from = end + 1
      }
      line.add(chunk.subarray(from, size))
    }
    if (!line.isEmpty) yield line.take()
  } finally {
    closeSync(descriptor)
  }
}

class Line {
  #bytes: Buffer = Buffer.alloc(0)
  #isTooLong = false

  get isEmpty(): boolean {
    return this.#bytes.length === 0 && !this.#isTooLong
  }

  add(bytes: Buffer): void {
    this.#isTooLong ||= this.#bytes.length + bytes.length > MAX_LINE_BYTES
    this.#bytes = this.#isTooLong ? Buffer.alloc(0) : Buffer.concat([this.#bytes, bytes])
  }

  take(): string | undefined {
    const text = this.#isTooLong ? undefined : this.#bytes.toString('utf8')
    this.#bytes = Buffer.alloc(0)
    this.#isTooLong = false
    return text
  }
}
