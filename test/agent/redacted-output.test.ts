import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { RedactedOutput } from '../../src/agent/redacted-output.ts'
import { Redaction } from '../../src/policy/redaction/redactor.ts'
import type { Chunk } from '../../src/runtime/child-output.ts'

const redaction = new Redaction([Buffer.from('hunter2-hunter2')])

type Piece = string | { readonly after: number; readonly text: string; readonly stream?: Chunk['stream'] }

async function* output(...pieces: Piece[]): AsyncGenerator<Chunk> {
  for (const piece of pieces) {
    const { after, text, stream = 'stdout' } = typeof piece === 'string' ? { after: 0, text: piece } : piece
    if (after > 0) await delay(after)
    yield { stream, data: Buffer.from(text) }
  }
}

async function shown(source: AsyncIterable<Chunk>, readMs = 0): Promise<string> {
  const texts: string[] = []
  for await (const { data } of new RedactedOutput(source, redaction)) {
    texts.push(String(data))
    if (readMs > 0) await delay(readMs)
  }
  return texts.join('')
}

describe('an output with secrets in it', () => {
  it('has them replaced across chunks', async () => {
    expect(await shown(output('a hunt', 'er2-', 'hunter2 b'))).toBe('a [REDACTED] b')
  })

  it('has them replaced across chunks however slow the reader is: its time is not the time of the command', async () => {
    expect(await shown(output('a hunt', 'er2-hunter2 b', ' c'), 150)).toBe('a [REDACTED] b c')
  })

  it('has them replaced when the event loop was blocked for longer than a beginning is held', async () => {
    const source = output('a hunt', { after: 1, text: 'er2-hunter2 b' })
    const reading = shown(source)
    setImmediate(() => {
      for (const end = performance.now() + 200; performance.now() < end;);
    })
    expect(await reading).toBe('a [REDACTED] b')
  })

  it('shows a beginning to which nothing came, and not what comes of it later', async () => {
    expect(await shown(output('a hunt', { after: 250, text: 'er2-hunter2 b' }))).toBe('a hunt[REDACTED] b')
  })

  it('holds the beginning in one stream no longer because the other one is busy', async () => {
    const busy = Array.from({ length: 10 }, () => ({ after: 40, text: '.', stream: 'stderr' as const }))
    const text = await shown(output('hunt', ...busy))
    expect(text.indexOf('hunt')).toBeLessThan(text.length - 'hunt'.length)
  })
})
