import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Packet } from '../../../src/wire/packet.ts'
import type { Reply } from '../scripted/rest.ts'

/** How an execution ended, as its user learns it; `none` where nobody is told. */
export interface Observed {
  readonly code: string
  readonly status: string
  /** What stands behind the output; with a command that writes nothing it is all there is. */
  readonly text: string
}

type Row = Observed

const COLUMNS = /^\| (?!-|ending)(.*?) +\| (\S+) +\| (\S+) +\| (.*?) *\|$/gm

const page = readFileSync(new URL('../../../docs/endings-and-codes.md', import.meta.url), 'utf8')
const [, tables = ''] = /^## How an execution can end$([^]*?)^## /m.exec(page) ?? []

/** The rows of the page by name. */
export const rows: ReadonlyMap<string, Row> = new Map(
  [...tables.matchAll(COLUMNS)].map(
    ([, name = '', code = '', status = '', text = '']) => [name.trim(), { code, status, text }] as const,
  ),
)

/** Names for which a test was declared. */
export const driven = new Set<string>()

/** A test with the name of a row, which expects what the row says. */
export function ending(name: string, drive: () => Promise<Observed>, skip = false): void {
  driven.add(name)
  it.skipIf(skip)(name, async () => {
    const row = rows.get(name)
    if (row === undefined) throw new Error(`docs/endings-and-codes.md has no row ${name}`)
    const { code, status, text } = await drive()
    expect({ code, status }).toEqual({ code: row.code, status: row.status })
    expect(text).toMatch(pattern(row.text))
  })
}

/** `N` is a number, `...` anything. */
function pattern(text: string): RegExp {
  const escaped = text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const numbers = escaped.replace(/(?<![A-Za-z])N(?![A-Za-z])/g, '\\d+')
  return new RegExp(`^${numbers.replaceAll('\\.\\.\\.', '[^]*')}$`)
}

/** Over REST. */
export function answered({ body }: Reply): Observed {
  return {
    code: String(body.exit_code),
    status: body.output_status,
    text: body.output.replace(/^[^]*\n(?=[^\n]+$)/, ''),
  }
}

/** On the wire: the status is what hoop's gateway makes of the code (protocol.md 0.3). */
export function closed(close: Packet): Observed {
  const code = String(close.spec['client.exit_code'])
  return { code, status: Number(code) > 0 ? 'failed' : 'success', text: String(close.payload).trimStart() }
}
