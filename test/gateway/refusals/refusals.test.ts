import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { refused, ROWS, SignInRefused, signInRefused } from '../../../src/gateway/refusals/request-refused.ts'

describe('a refusal', () => {
  it('has code and status of its row, and the text with its details', () => {
    expect(refused('batch-wrong-state/not-waiting', { id: 'b1', status: 'done' })).toMatchObject({
      code: 'batch-wrong-state',
      status: 409,
      message: 'batch b1 does not wait for its run: its status is done',
    })
    expect(refused('too-large/body')).toMatchObject({ code: 'too-large', status: 413 })
    expect(signInRefused('sign-in-expired/ended')).toBeInstanceOf(SignInRefused)
  })

  it('takes a detail as it is, also if it looks like the name of another one', () => {
    const { message } = refused('first-unfinished', { id: '<state>', state: '$& <id>' })
    expect(message).toBe('the first run <state> has not ended: $& <id>')
  })

  it('keeps code, status and extras when it gets another sentence', () => {
    const extras = { retry: { retried_by: 'b2' } }
    const first = refused('batch-retried', { id: 'b1', retriedBy: 'b2' }, extras).reworded(
      (text) => `first: ${text}`,
    )
    expect(first).toMatchObject({ code: 'batch-retried', status: 409, extras })
    expect(first.message).toMatch(/^first: batch b1 was retried/)
  })
})

describe('the table of refusals', () => {
  it('has no row that nothing names', () => {
    const folder = new URL('../../../src/gateway/', import.meta.url)
    const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('refusals/'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .join('\n')
    expect([...ROWS.keys()].filter((name) => !source.includes(`'${name}'`))).toEqual([])
  })
})
