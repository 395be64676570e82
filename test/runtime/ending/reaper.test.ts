import { afterEach, describe, expect, it, vi } from 'vitest'
import { processEntry } from '../../../src/runtime/ending/process-table.ts'
import { waitForExit } from '../../../src/runtime/ending/reaper.ts'
import { posixSpawn } from '../../../src/runtime/linux/spawn.ts'
import { waitFor } from '../../support/wait.ts'

afterEach(() => void vi.useRealTimers())

describe('the reaper', () => {
  it('tells the end of a child that was over before its pid was known, without waiting for the next look', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] })
    const command = { file: '/bin/sh', argv: ['sh', '-c', 'exit 7'].map((word) => Buffer.from(word)) }
    const pid = await posixSpawn({ ...command, environment: [], cwd: '/', stdio: [0, 1, 2] }, true)
    await waitFor(() => processEntry(pid)?.ended === true)
    expect(await waitForExit(pid)).toEqual({ kind: 'exited', code: 7 })
  })
})
