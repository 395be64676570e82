import { expect, it } from 'vitest'
import { ruleText } from '../../../web/src/views/approvals/rule-text.ts'

const need = (minimum: number, ...groups: string[]) => ({ groups, minimum })

it('the rule of a batch leaves out what another rule of it brings with it', () => {
  expect(ruleText([need(1, 'dba', 'leads'), need(1, 'dba')])).toBe('dba')
  expect(ruleText([need(1, 'dba'), need(1, 'dba', 'leads'), need(1, 'dba')])).toBe('dba')
  expect(ruleText([need(2, 'dba', 'leads'), need(1, 'dba')])).toBe('dba and leads')
  expect(ruleText([need(1, 'dba', 'leads'), need(1, 'sre')])).toBe('1 of dba, leads; and sre')
  expect(ruleText([need(1, 'dba', 'leads')])).toBe('1 of dba, leads')
})
