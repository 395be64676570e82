import { expect, it } from 'vitest'
import { OutputGate } from '../../../src/agent/output/output-gate.ts'
import { SentOutput } from '../../../src/agent/output/sent-output.ts'
import type { Chunk } from '../../../src/runtime/output/child-output.ts'

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
