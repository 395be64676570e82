import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RunbookError } from '../../../../src/gateway/refusals/runbook-errors.ts'
import { ReplyReader, type ObjectReply } from '../../../../src/gateway/runbooks/git/reply.ts'

const OID = '0123456789abcdef0123456789abcdef01234567'

/** All replies that come out while `bytes` go in, cut at `cuts`. */
function feed(reader: ReplyReader, bytes: Buffer, cuts: number[]): ObjectReply[] {
  const edges = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]
  const pieces = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
  return pieces.map((piece) => reader.push(piece)).filter((reply) => reply !== undefined)
}

test('a reply is the same however the pipe cuts it', () => {
  const checked = fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat()), (content, cuts) => {
    const bytes = Buffer.concat([Buffer.from(`${OID} blob ${content.length}\n`), content, Buffer.from('\n')])
    const replies = feed(new ReplyReader(300), bytes, cuts)
    expect(replies).toEqual([{ kind: 'found', oid: OID, type: 'blob', content: Buffer.from(content) }])
  })
  fc.assert(checked)
})

test('content above the limit is announced before any of it arrives', () => {
  const reply = new ReplyReader(9).push(Buffer.from(`${OID} blob 10\n`))
  expect(reply).toEqual({ kind: 'too-large', oid: OID, type: 'blob', size: 10 })
  expect(new ReplyReader(10).push(Buffer.from(`${OID} blob 10\n`))).toBeUndefined()
})

test('missing and ambiguous names are told apart', () => {
  expect(new ReplyReader(9).push(Buffer.from('abcdef0 missing\n'))).toEqual({ kind: 'missing' })
  expect(new ReplyReader(9).push(Buffer.from('abcdef0^{commit} ambiguous\n'))).toEqual({ kind: 'ambiguous' })
})

test('anything else is a damaged mirror, and is not collected without end', () => {
  for (const text of ['what is this\n', `${OID} blob -1\n`, `${OID} blob 1e3\n`, '\n', 'x'.repeat(256)]) {
    expect(() => new ReplyReader(9).push(Buffer.from(text))).toThrow(RunbookError)
  }
})
