import { describe, expect, it } from 'vitest'
import { inTurns } from '../../../web/src/output/turn.ts'
import { recordingOf } from '../../../web/src/views/terminal/recording.ts'

async function sized(size: string): Promise<string[]> {
  const steps = recordingOf([[0, 'r', Buffer.from(size).toString('base64')]])
  const { happenings } = await inTurns(steps, new AbortController().signal)
  return happenings.map((one) => (one.kind === 'size' ? `${one.cols}x${one.rows}` : one.kind))
}

describe('a recording', () => {
  it('takes the size of a terminal as it was recorded', async () => {
    expect(await sized('132x43')).toEqual(['132x43'])
  })

  it('makes no screen of a size that the memory of a tab would not bear', async () => {
    expect(await sized('65535x65535')).toEqual(['1000x500'])
  })

  it('passes over what is no size', async () => {
    for (const size of ['0x0', '-1x5', 'x', '80', '']) expect(await sized(size)).toEqual([])
  })
})
