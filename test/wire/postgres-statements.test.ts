import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PostgresStatements } from '../../src/wire/messages/postgres-statements.ts'

function message(type: string, content: string): Buffer {
  const head = Buffer.from(`${type}....`)
  head.writeUInt32BE(Buffer.byteLength(content) + 4, 1)
  return Buffer.concat([head, Buffer.from(content)])
}

function startup(code: number, content = ''): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(8 + content.length, 0)
  head.writeUInt32BE(code, 4)
  return Buffer.concat([head, Buffer.from(content)])
}

const begin = [startup(80_877_103), startup(196_608, 'user\0a secret of the gateway\0\0')]

/** The texts among what was found. */
const push = (statements: PostgresStatements, bytes: Buffer): string[] =>
  statements.push(bytes).flatMap((one) => ('text' in one ? [one.text] : []))

describe('the statements of a client of PostgreSQL', () => {
  it('are those of Query and Parse, wherever packets end, and nothing of values, COPY or the startup', () => {
    const all = Buffer.concat([
      ...begin,
      ...[
        message('Q', 'select 1\0'),
        message('P', 'name\0select $1\0\0\0'),
        message('B', 'sesame'),
        message('S', ''),
      ],
      ...[message('d', 'Q....data of a copy'), message('Q', 'select 2\0'), message('X', '')],
    ])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }), (cuts) => {
        const statements = new PostgresStatements()
        const found: string[] = []
        let at = 0
        for (const cut of [...cuts, all.length]) {
          found.push(...push(statements, all.subarray(at, at + cut)))
          at += cut
        }
        expect(found).toEqual(['select 1', 'select $1', 'select 2'])
      }),
    )
  })

  it('are cut where they are long', () => {
    const statements = new PostgresStatements()
    statements.push(Buffer.concat(begin))
    const [found = ''] = push(statements, message('Q', `${'x'.repeat(100_000)}\0`))
    expect(found).toMatch(/^x{16384}\.\.\. \(100001 bytes\)$/)
  })

  it('are found behind a long name', () => {
    const statements = new PostgresStatements()
    statements.push(Buffer.concat(begin))
    const sent = message('P', `${'n'.repeat(20_000)}\0drop table t\0\0\0`)
    expect([
      ...push(statements, sent.subarray(0, 17_000)),
      ...push(statements, sent.subarray(17_000)),
    ]).toEqual(['drop table t'])
  })

  it('have the functions among them that are called without one, for those can run a statement', () => {
    const statements = new PostgresStatements()
    statements.push(Buffer.concat(begin))
    const call = message('F', '\0\0\x0b\x6b and its arguments')
    expect([...push(statements, call.subarray(0, 7)), ...push(statements, call.subarray(7))]).toEqual([
      '(call of the function with oid 2923)',
    ])
  })

  it('are none in noise', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (pieces) => {
        const statements = new PostgresStatements()
        for (const piece of pieces) statements.push(Buffer.from(piece))
      }),
    )
  })
})
