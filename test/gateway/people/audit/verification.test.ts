import { expect, it } from 'vitest'
import { linkOfLine, verifyChain } from '../../../../src/contract/audit-chain.ts'

const HASH = 'a'.repeat(64)
const line = (more: string) => `{"hash":"${HASH}","sequence":1,${more}}`

it.each([
  ['lists in lists', line(`"x":${'['.repeat(50_000)}${']'.repeat(50_000)}`), 'malformed'],
  ['objects in objects', line(`"x":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`), 'malformed'],
  ['nothing', 'null', 'malformed'],
  ['a list', '[]', 'malformed'],
  ['half an entry', line('').slice(0, -2), 'malformed'],
  ['no sequence', `{"hash":"${HASH}"}`, 'malformed'],
  ['an endless sequence', `{"hash":"${HASH}","sequence":1e999}`, 'altered'],
  ['half a letter', line('"actor":"\\ud800"'), 'altered'],
  ['names of every object', line('"__proto__":{"x":1},"constructor":null,"toString":1'), 'altered'],
])('a crafted line with %s is a fault, and the rest is looked at', (_, crafted, fault) => {
  const { entries, faults } = verifyChain([linkOfLine(crafted, 1), linkOfLine('{}', 2)], undefined)
  expect(entries).toBe(2)
  expect(faults).toMatchObject([{ fault }, { fault: 'malformed' }])
})
