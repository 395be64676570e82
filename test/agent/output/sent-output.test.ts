import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { FilteredOutput, OutputGate, SentOutput } from '../../../src/agent/output/sent-output.ts'
import { type OutputFilter, OutputStopped } from '../../../src/policy/output-filter.ts'
import { Redaction } from '../../../src/policy/redaction/redactor.ts'
import type { Chunk } from '../../../src/runtime/child.ts'
import { TailMemory } from '../../../src/runtime/output-tail.ts'

const neverStopped = (cause: Error): never => {
  throw cause
}

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
  for await (const { data } of new FilteredOutput(source, () => redaction.stream(), neverStopped)) {
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

  it.each([8, 9, 14])('shows no beginning of %i characters, however late the rest comes', async (first) => {
    const secret = 'hunter2-hunter2'
    const pieces = [`a ${secret.slice(0, first)}`, { after: 250, text: `${secret.slice(first)} b` }]
    expect(await shown(output(...pieces))).toBe('a [REDACTED] b')
  })

  it('shows no such beginning at the end either, in neither stream', async () => {
    expect(await shown(output('a hunter2-', { after: 0, text: 'b hunter2-h', stream: 'stderr' }))).toBe(
      'a b [REDACTED][REDACTED]',
    )
  })

  it('shows such a beginning when something else comes behind it', async () => {
    expect(await shown(output('a hunter2-', { after: 250, text: 'b' }))).toBe('a hunter2-b')
  })

  it('shows less than 8 characters when they come one by one, each later than a beginning is held', async () => {
    const pieces = Array.from('hunter2-hunter2', (text) => ({ after: 110, text }))
    expect(await shown(output(...pieces))).toMatch(/^.{0,7}\[REDACTED\]$/)
  })

  it('is given out of one stream while the other one holds a beginning', async () => {
    const pieces = [
      'x hunter2-',
      { after: 0, text: 'err', stream: 'stderr' as const },
      { after: 150, text: 'h!' },
    ]
    expect(await shown(output(...pieces))).toBe('x errhunter2-h!')
  })

  it('has them replaced across chunks although the other stream comes in between', async ({
    onTestFinished,
  }) => {
    // However long this takes, a beginning is held for longer.
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const err = { after: 0, text: 'err ', stream: 'stderr' as const }
    expect(await shown(output('hunt', err, 'er2-hunter2 b'))).toBe('err [REDACTED] b')
  })

  it('holds the beginning in one stream no longer because the other one is busy', async () => {
    const busy = Array.from({ length: 10 }, () => ({ after: 40, text: '.', stream: 'stderr' as const }))
    const text = await shown(output('hunt', ...busy))
    expect(text.indexOf('hunt')).toBeLessThan(text.length - 'hunt'.length)
  })
})

/** Passes on what comes, later; stops at an `x`, in `push` or with the end of the stream. */
class Slow implements OutputFilter {
  readonly isReleasable = false
  held = 0

  async push(data: Buffer): Promise<Buffer> {
    await delay(1)
    const at = data.indexOf('x')
    if (at >= 0 && at < data.length - 1) throw new OutputStopped('guardrails', 'nothing more')
    this.held = at < 0 ? 0 : 1
    return data.subarray(0, data.length - this.held)
  }

  release(): Buffer {
    return Buffer.alloc(0)
  }

  async end(): Promise<Buffer> {
    await delay(1)
    if (this.held > 0) throw new OutputStopped('guardrails', 'nothing more')
    return Buffer.from('.')
  }
}

describe('an output behind a filter that takes its time', () => {
  const given = async (...pieces: Piece[]) => {
    const stopped: OutputStopped[] = []
    const source = output(...pieces)
    const texts: string[] = []
    const filtered = new FilteredOutput(
      source,
      () => new Slow(),
      (cause) => stopped.push(cause),
    )
    for await (const { stream, data } of filtered) texts.push(`${stream}: ${String(data)}`)
    return { texts, stopped: stopped.length }
  }

  it('is given on in the order in which it came, and each stream gets its rest', async () => {
    const err = { after: 0, text: 'b', stream: 'stderr' as const }
    expect(await given('a', err, 'c')).toEqual({
      texts: ['stdout: a', 'stderr: b', 'stdout: c', 'stdout: .', 'stderr: .'],
      stopped: 0,
    })
  })

  it('gives nothing on after the filter has stopped it, in neither stream', async () => {
    const err = { after: 0, text: 'b', stream: 'stderr' as const }
    expect(await given('a', 'bxb', err, 'c')).toEqual({ texts: ['stdout: a'], stopped: 1 })
  })

  it('is stopped with the end of the stream, too', async () => {
    expect(await given('ax')).toEqual({ texts: ['stdout: a'], stopped: 1 })
  })

  it('is read to its end after the filter has stopped it: the command must be able to end', async () => {
    let read = 0
    const source = async function* (): AsyncGenerator<Chunk> {
      for await (const chunk of output('bxb', 'c', 'd')) {
        read += 1
        yield chunk
      }
    }
    const filtered = new FilteredOutput(
      source(),
      () => new Slow(),
      () => undefined,
    )
    for await (const chunk of filtered) expect(chunk).toBeUndefined()
    expect(read).toBe(3)
  })

  it('fails with what the filter fails with, when that is no policy', async () => {
    const broken = () => ({
      held: 0,
      isReleasable: false,
      push: () => Promise.reject(new Error('a bug')),
      release: () => Buffer.alloc(0),
      end: () => Buffer.alloc(0),
    })
    const reading = async () => {
      for await (const chunk of new FilteredOutput(output('a'), broken, neverStopped))
        expect(chunk).toBeUndefined()
    }
    await expect(reading()).rejects.toThrow('a bug')
  })
})

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
    isStopped: () => pushed.length > 0,
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

  function capped(gate: OutputGate, isStopped = () => false) {
    const told = { overflows: 0 }
    const output = new SentOutput(
      chunks(...Array.from({ length: 20 }, () => 'x'.repeat(KEPT_BYTES)), 'end'),
      {
        cap: { bytes: CAP_BYTES, tails: new TailMemory(64 * 1024 * 1024) },
        ...{ gate, isStopped, filters: [], redaction: undefined, stopped: () => undefined },
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

  it('sends nothing more, and counts nothing as sent, once it is discarded', async () => {
    const { output } = capped(new OutputGate())
    using _ = output
    const reader = output[Symbol.asyncIterator]()
    await reader.next()
    output.discard()
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
])('the text %j has the message %j told behind it as %j', async (text, message, expected) => {
  using output = new SentOutput(chunks(text), {
    ...{ cap: undefined, gate: new OutputGate(), filters: [], redaction: undefined },
    ...{ stopped: () => undefined, isStopped: () => false, overflowed: () => undefined },
  })
  for await (const { data } of output) expect(String(data)).toBe(text)
  expect(output.onOwnLine(message)).toBe(expected)
  expect(output.bytes).toEqual({ read: text.length, sent: text.length, leftOut: 0, redacted: 0 })
})

it('what was replaced is counted', async () => {
  using output = new SentOutput(chunks('a hunter2-hunter2 b'), {
    ...{ cap: undefined, gate: new OutputGate(), filters: [] },
    redaction: new Redaction([Buffer.from('hunter2-hunter2')]),
    ...{ stopped: () => undefined, isStopped: () => false, overflowed: () => undefined },
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
