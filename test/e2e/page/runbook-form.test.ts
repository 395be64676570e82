import type { Locator } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../../src/basics/deferred.ts'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { faultsOfLayout } from './looks.ts'
import { Stage } from './stage.ts'

describe.skipIf(missingBrowser !== undefined)(`the form of a runbook${without(missingBrowser)}`, () => {
  const stage = new Stage({
    runbooks: {
      'ops/refund.runbook.sh':
        '# Refund an order\n# Pays back the whole amount.\n{{ .order | required "which?" | asenv "ORDER" }}\n{{ .pw | type "password" | asenv "PW" }}\necho "$ORDER"',
      'ops/where.runbook.sh': 'echo here',
      'ops/greeting.runbook.sh':
        'echo {{ .who | required "Say who." | shellquote }} {{ .pin | type "password" }}',
      'support/pay-back.runbook.sh': [
        '# Pay back an order',
        'set -euo pipefail',
        'psql -v ON_ERROR_STOP=1 <<SQL',
        '  UPDATE orders',
        '     SET state = \'refunded\', reason = {{ .reason | options "damaged" "late" | required "Say why." | sqlquote }}',
        '   WHERE id = {{ .order_id | required "Say which order." }};',
        'SQL',
        'pay refund --order {{ .order_id }} --amount {{ .amount | type "number" | required "Say how much." | description "Amount in euros" }} \\',
        '  --token {{ .token | type "password" | required "Say the token." | shellquote }}',
        '{{ if eq .reason "damaged" }}mail damaged {{ .order_id }}{{ else }}mail sorry{{ end }}',
        'echo "{{ if true }}{{ printf "%x" .token }}{{ end }}"',
      ].join('\n'),
      'ops/customer.runbook.sh':
        '{{ .id | required "Look up the number first." | description "Number of the customer" | asenv "ID" }}{{ if .isNew }}{{ .plan | options "small" "large" | description "Plan to begin with" | asenv "PLAN" }}{{ end }}echo "$ID $PLAN"',
    },
    users: { cid: ['dev'] },
    connections: [
      { name: 'prod', command: ['bash'], confirm: true, tags: { env: 'prod' } },
      { name: 'test', command: ['bash'], tags: { env: 'test' } },
      { name: 'reviewed', command: ['bash'], review: { groups: ['dev'] } },
      { name: 'gone', command: ['bash'], agent: 'faraway' },
    ],
    agents: ['faraway'],
  })

  it('is found by a title with a typing error, opens by Enter, keeps what was typed but for secrets, and lets people confirm', async () => {
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    const top = async (place: Locator) => (await place.boundingBox())?.y ?? Number.NaN
    const field = page.getByLabel('Search runbooks')
    // The field has the height of its text, also in a view that has only this list.
    expect((await top(page.getByRole('region', { name: 'Runbooks' }))) - (await top(field))).toBeLessThan(80)
    await field.fill('refnud ordre')
    await page.getByRole('link', { name: 'Refund an order' }).waitFor()
    await page.getByLabel('Search runbooks').press('Enter')
    await page.getByRole('heading', { name: 'Refund an order' }).waitFor()
    await ada.sees('Pays back the whole amount.')
    expect(page.url()).not.toContain(stage.site.place.path)
    await page.getByLabel('order').fill('10293')
    await page.getByLabel('pw').fill('very-secret')
    await page.reload()
    await page.getByLabel('order').waitFor()
    expect(await page.getByLabel('order').inputValue()).toBe('10293')
    expect(await page.getByLabel('pw').inputValue()).toBe('')
    await page.getByLabel('Connection', { exact: true }).selectOption('prod')
    const run = page.getByRole('button', { name: 'Run', exact: true })
    await page.getByLabel('Type prod to confirm').fill('pro')
    await page.getByLabel('pw').fill('very-secret')
    await run.click()
    await ada.sees('Type prod exactly. Nothing was sent.')
    const focused = () => page.evaluate<string>('document.activeElement.value')
    await expect.poll(focused).toBe('pro')
    expect(await ada.faultsInBothThemes()).toEqual([])
    expect(new URL(page.url()).pathname).toMatch(/^\/runbooks/)
    await page.keyboard.type('d')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/sessions\//)
    expect(ada.problems).toEqual([])
  })

  it('draws its list once, with the recent runbooks, so that no row moves under the pointer', async () => {
    await using ada = await stage.enter('/')
    const { page } = ada
    const isMeant = { list: /\/api\/runbooks\?/, own: /\/api\/sessions\?.*limit=50/ }
    await page.getByRole('heading', { level: 1, name: 'Hello' }).waitFor()
    const release = deferred()
    await page.route(isMeant.own, async (route) => {
      await release.promise
      await route.continue()
    })
    const asked = page.waitForRequest(isMeant.own)
    const listed = page.waitForResponse(isMeant.list)
    await page.getByRole('link', { name: 'Runbooks', exact: true }).click()
    await Promise.all([asked, listed.then((response) => response.finished())])
    await page.evaluate('new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))')
    const rows = page.getByRole('region', { name: 'Runbooks' })
    expect(await rows.count()).toBe(0)
    release.resolve()
    await rows.getByRole('link', { name: 'Refund an order' }).waitFor()
    expect(ada.problems).toEqual([])
  })

  it('shows in its list whose approval a runbook needs and favourites, which can be changed there', async () => {
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    const row = page
      .getByRole('region', { name: 'Runbooks' })
      .getByRole('listitem')
      .filter({ hasText: 'Refund' })
    await row.getByText('asks dev').first().waitFor()
    const mark = row.getByRole('button', { name: 'Favourite: Refund an order' })
    await mark.click()
    await expect.poll(() => mark.getAttribute('aria-pressed')).toBe('true')
    await mark.click()
    await expect.poll(() => mark.getAttribute('aria-pressed')).toBe('false')
    expect(new URL(page.url()).pathname).toBe('/runbooks')
    expect(await ada.faultsInBothThemes()).toEqual([])
  })

  it('keeps what was typed over the end of a sign-in, but for secrets', async () => {
    await using cid = await stage.arrive()
    await cid.signIn(stage.site.tokenOf('cid'), '/runbooks')
    const { page } = cid
    await page.getByRole('link', { name: 'Refund an order' }).click()
    await page.getByLabel('order').fill('10294')
    await page.getByLabel('pw').fill('very-secret')
    const { body } = await stage.site.rest.send('GET', '/api/tokens')
    const tokens = JSON.parse(body) as readonly { id: string; user: string; kind: string }[]
    const ofPage = tokens.filter(({ user, kind }) => user === 'cid' && kind === 'sign-in')
    for (const { id } of ofPage) await stage.site.rest.send('DELETE', `/api/tokens/${id}`)
    await cid.sees('You are signed out')
    expect(await page.evaluate('JSON.stringify({ ...sessionStorage, ...localStorage })')).not.toContain(
      'very-secret',
    )
    await page.getByLabel('Token').fill(stage.site.tokenOf('cid'))
    await cid.click('Sign in')
    await page.getByRole('heading', { name: 'Refund an order' }).waitFor()
    expect(await page.getByLabel('order').inputValue()).toBe('10294')
    expect(await page.getByLabel('pw').inputValue()).toBe('')
  })

  it('marks a favourite, and copies a link with what is typed, without secrets', async () => {
    await using ada = await stage.enter('/runbooks', {
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    const { page } = ada
    await page.getByRole('link', { name: 'Refund an order' }).click()
    await page.getByRole('button', { name: 'Favourite', pressed: false }).click()
    await page.getByRole('button', { name: 'Favourite', pressed: true }).waitFor()
    await page.getByLabel('Connection', { exact: true }).selectOption('test')
    await page.getByLabel('order').fill('7 & 8')
    await page.getByLabel('pw').fill('very-secret')
    await page.getByRole('region', { name: 'Script that would run' }).getByText('echo').waitFor()
    expect(await ada.faults()).toEqual([])
    await ada.click('Copy link')
    await ada.sees('The link is copied. Secrets and files are not in it.')
    const link = new URL(await page.evaluate<string>('navigator.clipboard.readText()'))
    expect(Object.fromEntries(link.searchParams)).toEqual({ 'p.order': '7 & 8', connection: 'test' })
    await page.getByLabel('order').fill('9')
    await ada.goTo(`${link.pathname}${link.search}`)
    await page.getByLabel('order').waitFor()
    expect(await page.getByLabel('order').inputValue()).toBe('7 & 8')
    await ada.goTo('/')
    await page.getByRole('button', { name: 'Favourite: Refund an order', pressed: true }).waitFor()
    expect(ada.problems).toEqual([])
  })

  it('lets Tab leave a required field that is empty', async () => {
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    await page.getByRole('link', { name: 'Refund an order' }).click()
    await page.getByLabel('order').focus()
    await page.keyboard.press('Tab')
    await page.locator('[name=order][aria-invalid=true]').waitFor()
    expect(await page.evaluate('document.activeElement.name')).toBe('pw')
  })

  it('asks in the words of the author, also for what only a block of the runbook uses', async () => {
    await using ada = await stage.enter('/runbooks?search=customer')
    const { page } = ada
    await page.getByRole('link', { name: 'customer.runbook.sh' }).click()
    await page.getByLabel('Plan to begin with').selectOption('large')
    await ada.click('Run')
    await ada.sees('Look up the number first.')
    expect(await page.locator('[name=id][aria-invalid=true]').count()).toBe(1)
    await page.getByLabel('Number of the customer').fill('17')
    await page.getByLabel('isNew').fill('yes')
    await ada.click('Run')
    await ada.reads('17 large')
    await page.getByRole('link', { name: 'Run again' }).click()
    await ada.sees('The form has the values of an earlier run by admin')
    expect(await page.getByLabel('Plan to begin with').inputValue()).toBe('large')
    expect(ada.problems).toEqual([])
  })

  it('shows the script with its values while they are typed, marked, and never a secret', async () => {
    await using ada = await stage.enter('/runbooks?search=greeting')
    const { page } = ada
    await page.getByRole('link', { name: 'greeting.runbook.sh' }).click()
    const preview = page.getByRole('region', { name: 'Script that would run' })
    await preview.getByText('Still missing: who.').waitFor()
    await page.getByLabel('who', { exact: true }).fill("Ada's")
    await preview.locator('mark', { hasText: 'Ada' }).waitFor()
    await page.getByLabel('pin', { exact: true }).fill('4711')
    await preview.locator('mark', { hasText: '••••••' }).waitFor()
    expect(await preview.locator('pre').innerText()).toBe("echo 'Ada'\\''s' ••••••")
    await page.getByLabel('who', { exact: true }).fill('Bob')
    await preview.getByText("echo 'Bob'").waitFor()
    expect(await preview.innerText()).not.toContain('4711')
    await page.getByLabel('who', { exact: true }).fill('')
    await preview.getByText('Still missing: who.').waitFor()
    expect(await ada.faults()).toEqual([])
    expect(ada.problems).toEqual([])
  })

  it('shows the script before anything is typed, and fills each place as its value comes', async () => {
    await using ada = await stage.enter('/runbooks?search=pay-back', {
      viewport: { width: 1440, height: 900 },
    })
    const { page } = ada
    await page.getByRole('link', { name: 'Pay back an order' }).click()
    const preview = page.getByRole('region', { name: 'Script that would run' })
    const script = preview.getByLabel('Script', { exact: true })
    const gaps = async () => script.locator('mark.is-missing').allInnerTexts()
    await expect
      .poll(gaps)
      .toEqual([
        '⟨reason⟩',
        '⟨order_id⟩',
        '⟨order_id⟩',
        '⟨amount⟩',
        '⟨token⟩',
        '⟨depends on reason⟩',
        '⟨token⟩',
      ])
    await preview.getByText('Still missing: reason, Amount in euros, token, order_id.').waitFor()
    expect(await script.getByTitle('This part depends on reason, which is missing.').count()).toBe(1)
    expect([...(await ada.faultsInBothThemes()), ...(await faultsOfLayout(page))]).toEqual([])
    await page.getByLabel('order_id').pressSequentially('4')
    await expect.poll(gaps).toEqual(['⟨reason⟩', '⟨amount⟩', '⟨token⟩', '⟨depends on reason⟩', '⟨token⟩'])
    await script.locator('mark', { hasText: /^4$/ }).nth(1).waitFor()
    await page.getByLabel('Amount in euros').pressSequentially('41')
    await script.locator('mark', { hasText: /^41$/ }).waitFor()
    // A wrong value is no value: its place is open until the value is right.
    await page.getByLabel('Amount in euros').pressSequentially(',')
    await script.getByText('⟨amount⟩').waitFor()
    await preview.getByText('Not right yet: Amount in euros.').waitFor()
    await page.getByLabel('Amount in euros').fill('41.30')
    await page.getByLabel('reason').selectOption('damaged')
    await script.getByText('mail damaged').waitFor()
    await expect.poll(gaps).toEqual(['⟨token⟩', '⟨token⟩'])
    const answer = page.waitForResponse(/\/api\/runbooks\/render/)
    await page.getByLabel('token').fill('k9!z')
    expect(await (await answer).text()).not.toMatch(/k9!z|6b39217a/)
    await expect.poll(gaps).toEqual([])
    expect(await script.locator('mark', { hasText: '••••••' }).count()).toBe(2)
    await preview.getByText('Still missing').waitFor({ state: 'detached' })
    expect(await page.locator('body').innerHTML()).not.toMatch(/k9!z|6b39217a/)
    expect(await page.evaluate('JSON.stringify({ ...sessionStorage, ...localStorage })')).not.toContain(
      'k9!z',
    )
    expect([...(await ada.faultsInBothThemes()), ...(await faultsOfLayout(page))]).toEqual([])
    await page.getByLabel('token').fill('')
    await expect.poll(gaps).toEqual(['⟨token⟩', '⟨token⟩'])
    expect(ada.problems).toEqual([])
  })

  it('says before a run that it needs approval, and that the agent is away', async () => {
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    await page.getByRole('link', { name: 'where.runbook.sh' }).click()
    await page.getByLabel('Connection', { exact: true }).selectOption('reviewed')
    await page.getByRole('button', { name: 'Ask for approval', exact: true }).waitFor()
    await page.getByLabel('Connection', { exact: true }).selectOption('gone')
    await ada.sees('gone cannot run anything at the moment.')
    await page.getByRole('button', { name: 'Run', exact: true }).waitFor()
    expect(await ada.faults()).toEqual([])
  })

  it('takes parameters and the connection of a link', async () => {
    await using ada = await stage.enter('/runbooks')
    await ada.page.getByRole('link', { name: 'Refund an order' }).click()
    await ada.page.getByLabel('order').waitFor()
    const { pathname } = new URL(ada.page.url())
    await ada.goTo(`${pathname}?p.order=7&p.pw=x&connection=test`)
    await ada.page.getByLabel('order').waitFor()
    expect(await ada.page.getByLabel('order').inputValue()).toBe('7')
    expect(await ada.page.getByLabel('pw').inputValue()).toBe('')
    expect(await ada.page.getByLabel('Connection', { exact: true }).inputValue()).toBe('test')
  })

  it('ticks the chosen one of several connections, says which are ticked, and finds them by tag', async () => {
    await using ada = await stage.enter('/runbooks')
    await ada.page.getByRole('link', { name: 'where.runbook.sh' }).click()
    const chosen = await ada.page.getByLabel('Connection', { exact: true }).inputValue()
    await ada.page.getByLabel('Run on several connections').check()
    await ada.page.getByRole('button', { name: 'Run on 1 connection' }).waitFor()
    const preview = ada.page.getByRole('region', { name: 'Script that would run' })
    await ada.page.getByLabel(chosen, { exact: true }).uncheck()
    await preview.getByText('no connection: choose at least one').waitFor()
    expect(await ada.page.getByRole('button', { name: 'Run on 0 connections' }).isDisabled()).toBe(true)
    await ada.page.getByLabel('Search connections').fill('env=test')
    await ada.click('All')
    await ada.page.getByRole('button', { name: 'Run on 1 connection' }).waitFor()
    await preview.getByText('test', { exact: true }).waitFor()
    await ada.page.getByLabel('Search connections').fill('')
    await ada.page.getByLabel(chosen, { exact: true }).check()
    await preview.getByText('2 connections, here as on test').waitFor()
  })
})
