import { describe, expect, it } from 'vitest'
import { Interrupts } from '../../../src/commands/client/terminal/leaving.ts'

describe('interrupts', () => {
  // `batches show --follow` asks anew at each look at the batch, and leaves the earlier question without an answer.
  it('reach the last of several callers', async () => {
    using interrupts = new Interrupts()
    void interrupts.next(0)
    const last = interrupts.next(0)
    process.emit('SIGHUP', 'SIGHUP')
    expect(await last).toBe('SIGHUP')
  })

  it('are kept until somebody asks', async () => {
    using interrupts = new Interrupts()
    process.emit('SIGHUP', 'SIGHUP')
    expect(await interrupts.next(0)).toBe('SIGHUP')
  })
})
