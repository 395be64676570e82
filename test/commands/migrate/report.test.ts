import { describe, expect, it } from 'vitest'
import { note, weaker, reportText } from '../../../src/commands/migrate/report.ts'
import { sameStep } from '../../../src/commands/migrate/step.ts'

const secret = {
  ...sameStep('connection', 'pg'),
  action: 'change',
  parts: ['command', 'secret PASS'],
} as const
const notes = [weaker('pg', 'callers may add arguments'), note('user ada', 'invite him')]

describe('the report of migrate', () => {
  it('says what would be done to each object, what is weaker, and what is left for people', () => {
    const steps = [
      { step: { ...sameStep('agent', 'db-host'), action: 'create' }, outcome: 'planned' },
      { step: secret, outcome: 'planned' },
    ] as const
    expect(reportText({ to: 'https://hoop.test', isDryRun: true, steps, notes }, 80)).toBe(`\
https://hoop.test: 1 create, 1 change. Nothing was written: add --apply to write

DO      WHAT        NAME     PARTS
create  agent       db-host
change  connection  pg       command, secret PASS

Weaker in hoop:
  pg  callers may add arguments

Not copied, or to be checked:
  user ada  invite him
`)
  })

  it('says what was done, what was refused and what is left', () => {
    const steps = [
      { step: sameStep('agent', 'db-host'), outcome: 'done' },
      { step: { ...secret, action: 'create' }, outcome: 'done' },
      { step: secret, outcome: 'refused' },
      { step: secret, outcome: 'left' },
    ] as const
    const text = reportText({ to: 'https://hoop.test', isDryRun: false, steps, notes: [] }, 80)
    expect(text).toMatch(/^https:\/\/hoop.test: 1 same, 1 created, 1 refused, 1 left\n/)
    expect(text).not.toMatch(/Weaker/)
  })
})
