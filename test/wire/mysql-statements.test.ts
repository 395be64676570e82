import fc from 'fast-check'
import { expect, it } from 'vitest'
import { packet } from '../../src/agent/native/mysql/login.ts'
import { MysqlStatements } from '../../src/wire/messages/mysql-statements.ts'

const login = packet(1, Buffer.from('\x03 no statement: this is the login'))
const command = (code: number, text: string) => packet(0, Buffer.from([code, ...Buffer.from(text)]))

/** The texts among what was found. */
const push = (statements: MysqlStatements, bytes: Buffer): string[] =>
  statements
    .push(bytes)
    .flatMap((one) => (one.kind === 'command' && one.text !== undefined ? [one.text] : []))

it('the texts of queries and prepared statements are found, wherever the pieces end, and nothing else', () => {
  const commands = fc.array(
    fc.record({ code: fc.constantFrom(0x03, 0x16, 0x17, 0x18, 0x0e), text: fc.string({ minLength: 1 }) }),
  )
  fc.assert(
    fc.property(commands, fc.integer({ min: 1, max: 9 }), (all, size) => {
      const sent = Buffer.concat([login, ...all.map(({ code, text }) => command(code, text))])
      const statements = new MysqlStatements()
      const found: string[] = []
      for (let at = 0; at < sent.length; at += size)
        found.push(...push(statements, sent.subarray(at, at + size)))
      expect(found).toEqual(all.flatMap(({ code, text }) => (code === 3 || code === 22 ? [text] : [])))
    }),
  )
})

it('a long statement is cut, and one of several packets is one', () => {
  const statements = new MysqlStatements()
  statements.push(login)
  const [text] = push(statements, command(0x03, 'x'.repeat(20_000)))
  expect([text?.length, text?.slice(-20)]).toEqual([16_383 + 17, 'xxx... (20001 bytes)'])
  const large = Buffer.alloc(0xff_ff_ff, 'y')
  large[0] = 0x03
  expect(push(statements, packet(0, large))).toEqual([])
  expect(push(statements, packet(1, Buffer.from('yy'))).map((one) => one.slice(-20))).toEqual([
    '... (16777217 bytes)',
  ])
})
