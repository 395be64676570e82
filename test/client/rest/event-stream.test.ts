import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { streamBlocks, type StreamBlock } from '../../../src/client/rest/http/event-stream.ts'

const TEXT =
  ': connected\nid: 7\n\nid: 8\r\nevent: event\r\ndata: {"€": "é𝄞"}\r\n\r\n: keepalive\n\ndata:a\rdata: b\r\r' +
  'event: session_end\ndata: {}\n\nevent: cut off'
const BLOCKS: readonly StreamBlock[] = [
  { id: '7', name: '', data: undefined },
  { id: '8', name: 'event', data: '{"€": "é𝄞"}' },
  { id: undefined, name: '', data: undefined },
  { id: undefined, name: '', data: 'a\nb' },
  { id: undefined, name: 'session_end', data: '{}' },
]

async function blocksOf(pieces: Iterable<Buffer>): Promise<StreamBlock[]> {
  const blocks: StreamBlock[] = []
  for await (const block of streamBlocks(Readable.from(pieces))) blocks.push(block)
  return blocks
}

describe('an event stream', () => {
  it('is the same wherever it was cut into pieces, within a character too', async () => {
    const bytes = Buffer.from(TEXT)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 9 }),
        async (cuts) => {
          const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
          const pieces = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
          expect(await blocksOf(pieces)).toEqual(BLOCKS)
        },
      ),
    )
  })

  it('is refused when something in it does not end', async () => {
    const endless = Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024, 'x'))
    await expect(blocksOf(endless)).rejects.toThrow(/no stream of events/)
    const lines = Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024, 'data: x\n'))
    await expect(blocksOf(lines)).rejects.toThrow(/no stream of events/)
  })
})
