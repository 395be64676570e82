import { signalChild } from '../../../src/basics/signals.ts'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('a score that is higher already stays as it is', async () => {
  // Raised for good, and read once when the module loads: this file has a process of its own.
  writeFileSync('/proc/self/oom_score_adj', '600')
  const { raiseOomScore } = await import('../../../src/runtime/linux/spawn.ts')
  const child = spawn('sleep', ['1000'])
  const pid = child.pid ?? 0
  try {
    raiseOomScore(pid)
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8')).toBe('600\n')
  } finally {
    signalChild(child, 'SIGKILL')
    await once(child, 'exit')
  }
})
