import type * as valibot from 'valibot'
import { expect, it, vi } from 'vitest'

const made = vi.hoisted(() => ({ fields: 0 }))
vi.mock('valibot', async (original) => {
  const all = await original<typeof valibot>()
  return {
    ...all,
    description: (text: string) => {
      made.fields += 1
      return all.description(text)
    },
  }
})

it('a contract makes the fields of a shape when the shape is used', async () => {
  // A set-up file has loaded some of them.
  vi.resetModules()
  const { sessionListContract } = await import('../../../src/contract/sessions.ts')
  const { runbookContract } = await import('../../../src/contract/runbooks.ts')
  await import('../../../src/contract/connections.ts')
  await import('../../../src/contract/jira.ts')
  const atLoad = made.fields
  // The fields that all contracts share.
  expect(atLoad).toBeLessThan(5)
  expect([sessionListContract.list.path, runbookContract.list.method]).toEqual(['/api/sessions', 'GET'])
  expect(made.fields).toBe(atLoad)
  expect(sessionListContract.list.answers[200].type).toBe('strict_object')
  expect(made.fields).toBeGreaterThan(atLoad)
})
