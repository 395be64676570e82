import { describe, expect, it } from 'vitest'
import { downloadName } from '../../../web/src/views/sessions/file-name.ts'

function nameOf(file: string | null, verb = 'exec'): string {
  const labels = file === null ? null : { runbookFile: file }
  return downloadName({ labels, verb, start_date: '2026-11-28T17:03:59' }, 'txt')
}

describe('downloadName', () => {
  it('names a download after the runbook and its time', () => {
    expect(nameOf('support/refund-order.runbook.sql')).toBe('refund-order-2026-11-28-1703.txt')
    expect(nameOf(null)).toBe('script-2026-11-28-1703.txt')
    expect(nameOf(null, 'connect')).toBe('terminal-2026-11-28-1703.txt')
  })

  it('has nothing in the name that is more than a name', () => {
    expect(nameOf('a/..\u202e"x y".runbook.sh')).toBe('x-y-2026-11-28-1703.txt')
    expect(nameOf('a/....runbook.sh')).toBe('session-2026-11-28-1703.txt')
  })
})
