import { afterEach, describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { faultsOfKeys, faultsOfLayout } from './looks.ts'
import { Stage } from './stage.ts'

const REFUND = `# Refund an order
echo {{ .order | required "which" | squote }} {{ .amount | squote }} {{ .key | type "password" | squote }}
`

describe.skipIf(missingBrowser !== undefined)(`what waits for an approver${without(missingBrowser)}`, () => {
  const stage = new Stage({
    connections: ['pg-shop', 'web-01', 'web-02'].map((name, at) => ({
      ...{ name, command: ['bash'] },
      // What is asked on web-02 ends first.
      review: { groups: ['dba', 'leads'], expires: `${3 - at}d` },
    })),
    users: { sue: ['support'], bea: ['dba'], ola: ['leads'] },
    runbooks: {
      'support/refund.runbook.sh': REFUND,
      'support/unlock.runbook.sh': '# Unlock an account\n{{ .account | asenv "ACCOUNT" }}\necho "$ACCOUNT"',
      'ops/clean.runbook.sh': '# Clean up\necho clean',
    },
  })

  const send: Stage['send'] = (...asked) => stage.send(...asked)

  const refund = (order: string, on = 'pg-shop') =>
    send('sue', 'POST', `/api/plugins/runbooks/connections/${on}/exec`, {
      ...{ file_name: 'support/refund.runbook.sh', parameters: { order, amount: '5.00', key: 'hunter-42' } },
    })

  afterEach(async () => {
    const all = (await send('ola', 'GET', '/api/reviews')) as unknown as { id: string; status: string }[]
    for (const { id, status } of all)
      if (status === 'PENDING') await send('ola', 'PUT', `/api/reviews/${id}`, { status: 'REJECTED' })
  })

  it('tells requests of one runbook apart by their values, without secrets, here and on Home', async () => {
    await refund('4711')
    await refund('4712')
    await send('sue', 'POST', '/api/sessions', { connection: 'web-02', script: '\n\nSELECT 1\nFROM dual' })
    await using bea = await stage.arrive({ viewport: { width: 1440, height: 900 } })
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    const rows = page.getByRole('region', { name: 'Waiting for you' }).getByRole('listitem')
    const names = async () => Promise.all((await rows.all()).map((row) => row.getByRole('link').innerText()))
    await expect
      .poll(names)
      .toEqual([
        'SELECT 1',
        'Refund an order order 4711 amount 5.00',
        'Refund an order order 4712 amount 5.00',
      ])
    expect(await rows.first().innerText()).toContain('sue, a script of 4 lines, on web-02')
    expect(await rows.nth(1).innerText()).toMatch(
      /sue on pg-shop[^]*first run by sue[^]*no approved run before/,
    )
    expect(await page.locator('body').innerHTML()).not.toContain('hunter-42')
    expect([...(await bea.faultsInBothThemes()), ...(await faultsOfLayout(page))]).toEqual([])
    await bea.goTo('/')
    await expect
      .poll(names)
      .toEqual([
        'SELECT 1',
        'Refund an order order 4711 amount 5.00',
        'Refund an order order 4712 amount 5.00',
      ])
    expect([...(await bea.faultsInBothThemes()), ...(await faultsOfLayout(page))]).toEqual([])
    expect(bea.problems).toEqual([])
  })

  it('is decided by keys alone, after a question that shows the whole script', async () => {
    for (const order of ['1', '2', '3']) await refund(order)
    await using bea = await stage.arrive()
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    const name = (order: string) => `Refund an order order ${order} amount 5.00`
    await page.getByRole('link', { name: name('3') }).waitFor()
    const focused = () => page.evaluate<string>('document.activeElement.innerText')
    // Before a request is chosen, no key may ask about one that the approver does not look at.
    await page.keyboard.press('a')
    await expect.poll(focused).toBe(name('1'))
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    expect(await focused()).toBe(name('2'))
    await page.keyboard.press('a')
    const dialog = page.getByRole('dialog')
    await dialog.getByText("echo '2' '5.00' '[REDACTED]'").waitFor()
    await expect.poll(focused).toBe('Approve')
    expect(await dialog.innerText()).toContain(
      '1 of dba, leads. You decide for dba: sue can then run it on pg-shop.',
    )
    expect(await bea.faultsInBothThemes()).toEqual([])
    // Keys are typed into the field, and act on nothing below the dialog.
    await dialog.getByLabel('Comment').fill('')
    await dialog.getByLabel('Comment').pressSequentially('jar')
    expect(await dialog.getByLabel('Comment').inputValue()).toBe('jar')
    await page.keyboard.press('Enter')
    await dialog.getByRole('button', { name: 'Approve' }).press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await bea.sees('You approved Refund an order 2 5.00. sue can use it now.')
    await expect.poll(focused).toBe(name('3'))
    await page.keyboard.press('r')
    await page.getByLabel('Reason').fill('twice')
    await page.getByRole('button', { name: 'Reject with this reason' }).press('Enter')
    await bea.sees('You rejected Refund an order 3 5.00.')
    await page.keyboard.press('Home')
    await page.keyboard.press('k')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Refund an order' }).waitFor()
    await bea.goTo('/approvals')
    await page.getByRole('link', { name: name('1') }).waitFor()
    // These two keys open this view again, and approve nothing.
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await page.keyboard.press('j')
    await expect.poll(focused).toBe(name('1'))
    expect(await page.getByRole('dialog').count()).toBe(0)
    // These two open Runbooks, and reject nothing.
    await page.keyboard.press('g')
    await page.keyboard.press('r')
    await page.getByRole('heading', { level: 1, name: 'Runbooks' }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(bea.problems).toEqual([])
  })

  it('goes on from the next request after each decision, without a message on the rows', async () => {
    for (const order of ['1', '2', '3', '4']) await refund(order)
    await using bea = await stage.arrive()
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    const name = (order: string) => `Refund an order order ${order} amount 5.00`
    await page.getByRole('link', { name: name('4') }).waitFor()
    const focused = () => page.evaluate<string>('document.activeElement.innerText')
    await page.keyboard.press('j')
    await page.keyboard.press('a')
    await expect.poll(focused).toBe('Approve')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focused()).toBe(name('2'))
    await page.keyboard.press('j')
    expect(await focused()).toBe(name('3'))
    await page.keyboard.press('k')
    await page.keyboard.press('k')
    expect(await focused()).toBe(name('2'))
    await bea.sees('You approved Refund an order 1 5.00.')
    expect(await page.locator('.toast').count()).toBe(0)
    await page.keyboard.press('a')
    await expect.poll(focused).toBe('Approve')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focused()).toBe(name('2'))
    const decided = page.getByRole('region', { name: 'Decided requests' }).getByRole('row')
    expect(await decided.nth(1).innerText()).toMatch(/Refund an order[^]*approved\s+by you/)
    expect(bea.problems).toEqual([])
  })

  it('asks about a runbook that has its values in variables, and shows all of them', async () => {
    const url = '/api/plugins/runbooks/connections/pg-shop/exec'
    const parameters = { account: 'ann@shop.example' }
    await send('sue', 'POST', url, { file_name: 'support/unlock.runbook.sh', parameters })
    await using bea = await stage.arrive()
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    await page.getByRole('link', { name: /^Unlock an account/ }).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('a')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('echo "$ACCOUNT"').waitFor()
    expect(await dialog.getByLabel('Values').innerText()).toMatch(/^account\s+ann@shop.example$/)
    expect([...(await bea.faultsInBothThemes()), ...(await faultsOfLayout(page))]).toEqual([])
    await dialog.getByRole('button', { name: 'Approve' }).click()
    await bea.sees('You approved Unlock an account ann@shop.example.')
    expect(bea.problems).toEqual([])
  })

  it('sends who would approve a long script, arguments or a changed runbook to the whole request', async () => {
    await send('sue', 'POST', '/api/sessions', { connection: 'pg-shop', script: 'echo\n'.repeat(40) })
    await send('sue', 'POST', '/api/sessions', { connection: 'web-01', script: 'echo', client_args: ['-x'] })
    await using bea = await stage.arrive()
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    const rows = page.getByRole('link', { name: 'echo' })
    await rows.nth(1).waitFor()
    for (const [at, reason] of [
      'This request has arguments or variables.',
      'The script is too long for this question.',
    ].entries()) {
      await page.keyboard.press('j')
      await expect.poll(() => rows.nth(at).evaluate((row) => row === document.activeElement)).toBe(true)
      await page.keyboard.press('a')
      const dialog = page.getByRole('dialog')
      await dialog.getByText(reason).waitFor()
      expect(await dialog.getByRole('button', { name: 'Approve' }).count()).toBe(0)
      await dialog.getByRole('button', { name: 'Cancel' }).click()
      await dialog.waitFor({ state: 'detached' })
    }
    await page.keyboard.press('a')
    await page.getByRole('link', { name: 'Open the request' }).click()
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(new URL(page.url()).pathname).toMatch(/^\/approvals\/./)
    expect(bea.problems).toEqual([])
  })

  it('offers no keys on the own requests, and none while they are switched off', async () => {
    await send('bea', 'POST', '/api/sessions', { connection: 'pg-shop', script: 'echo own' })
    await using bea = await stage.arrive()
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    const others = page.getByRole('region', { name: 'Waiting for others' })
    await others.getByRole('link', { name: 'echo own' }).waitFor()
    await page.keyboard.press('j')
    for (const key of ['a', 'r']) await page.keyboard.press(key)
    expect(await page.getByRole('dialog').count()).toBe(0)
    await refund('9')
    await page.getByRole('link', { name: 'Refund an order order 9' }).focus()
    await page.evaluate(`localStorage.setItem('runbook-page-no-shortcuts', '1')`)
    await page.keyboard.press('a')
    expect(await page.getByRole('dialog').count()).toBe(0)
    await others.getByRole('button', { name: 'Withdraw' }).click()
    await others.waitFor({ state: 'detached' })
  })

  it('fits a phone, and can be gone through by Tab', async () => {
    await refund('2026-4711-with-a-long-number')
    await send('sue', 'POST', '/api/sessions', { connection: 'web-02', script: `echo ${'x'.repeat(300)}` })
    for (const width of [360, 390, 1120]) {
      await using bea = await stage.arrive({ viewport: { width, height: 844 } })
      await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
      await bea.page.getByRole('link', { name: 'Refund an order order 2026' }).waitFor()
      const faults = [
        ...(await bea.faults()),
        ...(await faultsOfLayout(bea.page)),
        ...(await faultsOfKeys(bea.page)),
      ]
      expect([width, ...faults]).toEqual([width])
    }
  })

  it('goes through 500 requests by keys, and asks about one of them', async () => {
    await refund('1')
    await using bea = await stage.arrive()
    const { page } = bea
    await page.route('**/api/reviews', async (route) => {
      const [one] = (await (await route.fetch()).json()) as { id: string; summary: object }[]
      const values = (at: number) => [{ name: 'order', value: `no-${at}` }]
      const more = Array.from({ length: 500 }, (_, at) => ({
        ...one,
        id: at === 0 ? one?.id : `r${at}`,
        summary: { values: values(at) },
      }))
      await route.fulfill({ json: more })
    })
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    await page.getByRole('link', { name: 'Refund an order order no-499' }).waitFor()
    expect(await page.getByRole('region', { name: 'Waiting for you' }).getByRole('listitem').count()).toBe(
      500,
    )
    for (const key of ['j', 'j', 'j', 'k', 'k', 'a']) await page.keyboard.press(key)
    await page.getByRole('dialog').getByText('You decide for dba').waitFor()
    await page.getByRole('dialog').getByText("echo '1' '5.00'").waitFor()
    expect(bea.problems).toEqual([])
  })
})
