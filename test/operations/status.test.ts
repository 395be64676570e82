import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { oneLine } from '../../src/basics/text/printable.ts'
import { createLogger } from '../../src/log.ts'
import { activityWords, connectionWords, dumpStatus } from '../../src/operations/status.ts'
import { sampleStatus } from '../support/sites/sample-status.ts'

test.each([
  [{ state: 'idle' }, 'idle'],
  [{ state: 'connecting' }, 'connecting to 127.0.0.1:8010'],
  [{ state: 'serving' }, 'serving 127.0.0.1:8010 as local, 2 of 100 sessions'],
  [{ state: 'polling', reason: '' }, 'polling'],
  [{ state: 'waiting', reason: 'the stream ended' }, 'waiting: the stream ended'],
  [{ state: 'draining' }, 'draining, 2 of 100 sessions'],
  [{ state: 'stopped' }, 'stopped'],
])('%j in words', (connection, words) => {
  expect(activityWords(sampleStatus(connection))).toBe(words)
})

test('a gateway that takes nothing is in all words of a connection', () => {
  const stalled = sampleStatus({ stall: { since: '2026-03-01T10:00:30.000Z', bytes: 200_000 } })
  for (const words of [activityWords(stalled), connectionWords(stalled)])
    expect(words).toMatch(
      /^serving.* the gateway has accepted no output since 2026-03-01T10:00:30.000Z; 200000 bytes wait$/,
    )
})

test('a gateway that is stopping is in all words of a connection', () => {
  const stopping = sampleStatus({ gatewayStopsAt: '2026-03-01T10:01:30.000Z' })
  for (const words of [activityWords(stopping), connectionWords(stopping)])
    expect(words).toMatch(/^serving.* the gateway is stopping: .* until 2026-03-01T10:01:30.000Z$/)
})

test('an agent without a name has none in its words', () => {
  expect(activityWords(sampleStatus({}, { agent: '' }))).toBe('serving 127.0.0.1:8010, 2 of 100 sessions')
})

test("a gateway's text cannot add a line, move a cursor or go on without end", () => {
  const reason = `bad\nMAINPID=1\r\u001b[2Jx\u2028y ${'z'.repeat(5000)}`
  const words = connectionWords(sampleStatus({ state: 'refused', reason }))
  expect(words).toMatch(/^refused: bad MAINPID=1 \[2Jx y z+\.\.\.$/)
  expect(words.length).toBeLessThan(310)
})

test('whatever the text, it becomes one line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
      expect(oneLine(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
    }),
    { numRuns: 200 },
  )
})

test('the line in the log has all of it: no field has a name that the log takes for a secret', async () => {
  const destination = new PassThrough()
  const status = sampleStatus()
  dumpStatus(await createLogger({ level: 'info', encoding: 'json', destination }), () => status)
  const { status: logged } = JSON.parse(String(destination.read())) as { readonly status: unknown }
  expect(logged).toEqual(JSON.parse(JSON.stringify(status)))
})
