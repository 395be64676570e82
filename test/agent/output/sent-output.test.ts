import { describe, expect, it } from 'vitest'
import { OutputGate, SentOutput } from '../../../src/agent/output/sent-output.ts'
import { Redaction } from '../../../src/policy/redaction/redactor.ts'
import { TailMemory } from '../../../src/runtime/output-tail.ts'
import type { Chunk } from '../../../src/runtime/child-output.ts'

it('output that nobody wants any more does not wait for a filter, and is counted', async () => {
  const pushed: string[] = []
  const filter = {
    held: 0,
    isReleasable: false,
    push: (data: Buffer) => (pushed.push(String(data)), data),
    release: () => Buffer.alloc(0),
    end: () => Buffer.alloc(0),
  }
  using output = new SentOutput(chunks('one', 'two', 'three'), {
    cap: undefined,
    gate: new OutputGate(),
    filters: [() => filter],
    redaction: undefined,
    stopped: () => undefined,
    isUnwanted: () => pushed.length > 0,
    overflowed: () => undefined,
  })
  for await (const chunk of output) expect(String(chunk.data)).toBe('')
  expect(pushed).toEqual(['one'])
  expect(output.bytes).toMatchObject({ read: 11, sent: 0 })
})

async function* chunks(...texts: readonly string[]): AsyncGenerator<Chunk> {
  await Promise.resolve()
  for (const text of texts) yield { stream: 'stdout', data: Buffer.from(text) }
}

describe('a capped output', () => {
  const CAP_BYTES = 500_000
  const KEPT_BYTES = 64 * 1024

  function capped(gate: OutputGate, isUnwanted = () => false) {
    const told = { overflows: 0 }
    const output = new SentOutput(
      chunks(...Array.from({ length: 20 }, () => 'x'.repeat(KEPT_BYTES)), 'end'),
      {
        cap: { bytes: CAP_BYTES, tails: new TailMemory(64 * 1024 * 1024) },
        ...{ gate, isUnwanted, filters: [], redaction: undefined, stopped: () => undefined },
        overflowed: () => {
          told.overflows += 1
        },
      },
    )
    return { output, told }
  }

  it('has its first fifth and its end, with what is left out counted and told', async () => {
    const { output, told } = capped(new OutputGate())
    using _ = output
    let sent = 0
    for await (const { data } of output) sent += data.length
    const { read, leftOut } = output.bytes
    expect(read).toBe(20 * KEPT_BYTES + 3)
    expect([output.bytes.sent, leftOut > 0, told.overflows > 0]).toEqual([sent, true, true])
    expect(output.onOwnLine('over')).toBe('\nover')
  })

  it.each([
    ['its beginning', 0],
    ['its end', 1],
  ])('keeps %s back while its client does not read', async (_, part) => {
    const gate = new OutputGate()
    const { output, told } = capped(gate)
    using __ = output
    const reader = output[Symbol.asyncIterator]()
    while (part === 1 && told.overflows < 10) await reader.next()
    gate.pause()
    let isThere = false
    const next = reader.next().then((result) => {
      isThere = true
      return result
    })
    for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate)
    expect(isThere).toBe(false)
    gate.resume()
    expect((await next).done).toBe(false)
    gate.openForGood()
    while ((await reader.next()).done !== true);
  })

  it('sends nothing more, and counts nothing as sent, once it is abandoned or unwanted', async () => {
    const { output } = capped(new OutputGate())
    using _ = output
    const reader = output[Symbol.asyncIterator]()
    await reader.next()
    output.abandon()
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    expect([output.bytes.sent, output.bytes.read]).toEqual([0, 20 * KEPT_BYTES + 3])
    expect(output.onOwnLine('over')).toBe('over')
    const { output: unwanted } = capped(new OutputGate(), () => true)
    using __ = unwanted
    for await (const chunk of unwanted) expect(chunk).toBeUndefined()
    expect(unwanted.bytes).toMatchObject({ sent: 0, read: 20 * KEPT_BYTES + 3 })
  })
})

it.each([
  ['text', 'over', '\nover'],
  ['text\n', 'over', 'over'],
  ['text', '', ''],
])('after %j the message %j is %j', async (text, message, expected) => {
  using output = new SentOutput(chunks(text), {
    ...{ cap: undefined, gate: new OutputGate(), filters: [], redaction: undefined },
    ...{ stopped: () => undefined, isUnwanted: () => false, overflowed: () => undefined },
  })
  for await (const { data } of output) expect(String(data)).toBe(text)
  expect(output.onOwnLine(message)).toBe(expected)
  expect(output.bytes).toEqual({ read: text.length, sent: text.length, leftOut: 0, redacted: 0 })
})

it('what was replaced is counted', async () => {
  using output = new SentOutput(chunks('a hunter2-hunter2 b'), {
    ...{ cap: undefined, gate: new OutputGate(), filters: [] },
    redaction: new Redaction([Buffer.from('hunter2-hunter2')]),
    ...{ stopped: () => undefined, isUnwanted: () => false, overflowed: () => undefined },
  })
  let shown = ''
  for await (const { data } of output) shown += String(data)
  expect(shown).toBe('a [REDACTED] b')
  expect(output.bytes).toEqual({ read: 19, sent: 14, leftOut: 0, redacted: 15 })
})

it('a gate that was opened for good is never closed again', async () => {
  const gate = new OutputGate()
  gate.resume()
  gate.pause()
  expect(gate.isClosed).toBe(true)
  const passed = gate.passed()
  gate.openForGood()
  await passed
  gate.pause()
  expect(gate.isClosed).toBe(false)
})
