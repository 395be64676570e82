import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { BatchRun } from '../../../src/gateway/batches/batch.ts'
import { outputDifferences } from '../../../src/gateway/batches/comparison.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'

it('a comparison lets everything else of the process run meanwhile', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'comparison-'))
  const history = openHistory(path.join(folder, 'history.sqlite'))
  const numbers = Array.from({ length: 100 }, (_, at) => String(at))
  const outputs = { 'c-1': numbers.join('\n'), 'c-2': numbers.toReversed().join('\n') }
  for (const [id, output] of Object.entries(outputs)) {
    history.begin({
      ...{ id, origin: 'client-api', verb: 'exec', user: 'ann', connection: id, connectionType: '' },
      ...{ startedAt: new Date(), script: Buffer.from(''), labels: {}, metadata: {} },
    })
    history.append(id, 'o', Buffer.from(output), 0)
  }
  const run = (id: string): BatchRun => ({
    ...{ connection: id, wave: 0, position: 0, status: 'succeeded', session: id, exitCode: 0 },
  })
  let turns = 0
  const counting = setInterval(() => turns++, 0)
  try {
    const groups = ['c-1', 'c-2'].map((id) => ({ runs: [run(id)] }))
    const [found] = await outputDifferences(history, groups, async (work) => {
      turns = 0
      const difference = await work()
      expect(turns).toBeGreaterThan(10)
      return difference
    })
    expect(found?.diff).toContain('--- c-1\n+++ c-2\n')
  } finally {
    clearInterval(counting)
    history.close()
    rmSync(folder, { recursive: true })
  }
})
