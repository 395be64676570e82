import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { waitFor } from '../../support/wait.ts'
import { Stage } from './stage.ts'

describe.skipIf(missingBrowser !== undefined)(`the page asks for a reason${without(missingBrowser)}`, () => {
  const stage = new Stage({
    runbooks: { 'ops/where.runbook.sh': '# Say where\necho here' },
    users: { cid: ['dev'] },
    connections: [
      { name: 'strict', command: ['bash', '--norc', '-i'], reason: 'required' },
      { name: 'asked', command: ['bash'], reason: 'required', review: { groups: ['admin'] } },
      { name: 'open', command: ['bash'], reason: 'optional', review: { groups: ['admin'] } },
      { name: 'unasked', command: ['bash'], review: { groups: ['admin'] } },
      { name: 'free', command: ['bash'] },
    ],
  })

  const lastSession = async () => {
    const { body } = await stage.site.rest.send('GET', '/api/sessions?limit=1')
    return (JSON.parse(body) as { data: Record<string, unknown>[] }).data[0]
  }

  it('in the form of a runbook, only where the connection wants one; Run again asks anew', async () => {
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    await page.getByRole('link', { name: 'Say where' }).click()
    const connection = page.getByLabel('Connection', { exact: true })
    await connection.selectOption('free')
    await page.getByLabel('Reason').waitFor({ state: 'detached' })
    await connection.selectOption('strict')
    const run = page.getByRole('button', { name: 'Run', exact: true })
    await page.getByLabel('Reason').waitFor()
    await run.click()
    await ada.sees('Say why you need this. Nothing was sent.')
    await page.locator('[aria-invalid=true]:focus').waitFor()
    await page.getByLabel('Reason').fill('ticket 7 <b>')
    expect(await ada.faults()).toEqual([])
    await run.click()
    await page.waitForURL(/\/sessions\//)
    await waitFor(async () => (await lastSession())?.['reason'] === 'ticket 7 <b>')
    await page.locator('summary').first().click()
    await ada.sees('ticket 7 <b>')
    await page.getByRole('link', { name: 'Run again' }).click()
    await page.getByLabel('Reason').waitFor()
    expect(await page.getByLabel('Reason').inputValue()).toBe('')
    expect(ada.problems).toEqual([])
  })

  it('before a terminal opens, and not again after a reload', async () => {
    await using ada = await stage.enter('/connections/strict/terminal')
    const { page } = ada
    const open = page.getByRole('button', { name: 'Open the terminal' })
    await open.click()
    await ada.sees('Say why you need this. Nothing was sent.')
    expect(await ada.faults()).toEqual([])
    await page.getByLabel('Reason').fill('looking for a file')
    await page.getByLabel('Reason').press('Enter')
    await ada.sees('Everything that you see is recorded')
    expect(await lastSession()).toMatchObject({ verb: 'connect', reason: 'looking for a file' })
    await page.reload()
    await ada.sees('Everything that you see is recorded')
    await page.getByRole('button', { name: 'End', exact: true }).click()
    await page.getByRole('button', { name: 'End the terminal' }).click()
    await page.getByRole('button', { name: 'Open another terminal' }).click()
    await page.getByLabel('Reason').waitFor()
  })

  it('of a requester, and shows it to the approver, or that there is none', async () => {
    await stage.send('cid', 'POST', '/api/sessions', {
      connection: 'asked',
      script: 'true',
      reason: 'refund 4711',
    })
    await using ada = await stage.enter('/approvals')
    await ada.sees('“refund 4711”')
    await ada.page.getByRole('link', { name: /true/ }).first().click()
    await ada.page.getByRole('heading', { level: 1 }).waitFor()
    await ada.sees('“refund 4711”')
    const noReason = ada.page.getByText('No reason is given.')
    for (const [connection, said] of [
      ['open', 1],
      ['unasked', 0],
    ] as const) {
      const body = { connection, script: 'true' }
      const { session_id: id } = await stage.send('cid', 'POST', '/api/sessions', body)
      await ada.goTo(`/approvals/${String(id)}`)
      await ada.page.getByRole('list', { name: 'Who can decide' }).waitFor()
      expect([connection, await noReason.count()]).toEqual([connection, said])
    }
    expect(ada.problems).toEqual([])
  })
})
