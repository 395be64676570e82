import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { faultsOfLayout } from './looks.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const ORDERS = `cat <<'CSV'
id,customer,total,note
10,Ada,9.50,"first, of two"
9,Bob,100,=1+1
8,,NULL,"two
lines"
CSV
`
const PSQL = `cat <<'TEXT'
 day        | orders
------------+--------
 2026-11-27 |     12
 2026-11-28 |      7
(2 rows)

 status | orders
--------+--------
 paid   |     11
 open   |      8
(2 rows)

TEXT
`

describe.skipIf(missingBrowser !== undefined)(`the result of a run${without(missingBrowser)}`, () => {
  const stage = new Stage({}, (site) => {
    site.books.commit({ 'shop/orders.runbook.sh': ORDERS })
  })

  async function run(script: string): Promise<string> {
    const body = JSON.stringify({ connection: 'bash', script })
    const reply = await stage.site.rest.send('POST', '/api/sessions', body)
    return (JSON.parse(reply.body) as { session_id: string }).session_id
  }

  /** Begins a script that does not end by itself. */
  async function begin(script: string): Promise<string> {
    const answer = run(script)
    answer.catch(() => undefined)
    let id: string | undefined
    await expect
      .poll(async () => {
        const reply = await stage.site.rest.send('GET', '/api/sessions?limit=1')
        const [newest] = (JSON.parse(reply.body) as { data: { id: string; status: string }[] }).data
        id = newest?.id
        return newest?.status
      })
      .toBe('open')
    return id ?? ''
  }

  function cells({ page }: Visitor, column: number): Promise<string[]> {
    return page
      .getByRole('table', { name: 'Result' })
      .locator(`tbody td:nth-child(${column})`)
      .allInnerTexts()
  }

  it('shows CSV as a table, sorts and filters it, copies a cell and downloads it', async () => {
    await using ada = await stage.arrive()
    const { page } = ada
    const { body } = await stage.site.rest.runbook('bash', 'shop/orders.runbook.sh', { parameters: {} })
    await ada.signIn(stage.site.token, `/sessions/${body.session_id}`)
    await page.getByRole('tab', { name: 'Table' }).click()
    await expect.poll(() => cells(ada, 1)).toEqual(['10', '9', '8'])
    expect(await cells(ada, 3)).toEqual(['9.50', '100', 'NULL'])
    const total = page.getByRole('columnheader', { name: 'total' })
    await total.getByRole('button').click()
    await expect.poll(() => cells(ada, 3)).toEqual(['9.50', '100', 'NULL'])
    await total.getByRole('button').click()
    await expect.poll(() => cells(ada, 3)).toEqual(['100', '9.50', 'NULL'])
    expect(await total.getAttribute('aria-sort')).toBe('descending')
    await ada.click('Filter columns')
    await page.getByRole('searchbox', { name: 'Filter id' }).fill('>8')
    await expect.poll(() => cells(ada, 1)).toEqual(['9', '10'])
    await page.getByRole('cell', { name: 'first, of two' }).click()
    await ada.sees('note: first, of two')
    expect(await ada.faults()).toEqual([])

    const waiting = page.waitForEvent('download')
    await ada.click('Download CSV')
    const download = await waiting
    expect(download.suggestedFilename()).toMatch(/^orders-\d{4}-\d\d-\d\d-\d{4}\.csv$/)
    const saved = stage.site.place.at('orders.csv')
    await download.saveAs(saved)
    expect(readFileSync(saved, 'utf8')).toBe(
      'id,customer,total,note\r\n9,Bob,100,\'=1+1\r\n10,Ada,9.50,"first, of two"\r\n',
    )
    await ada.sees('Values that look like formulas: 1. In the file')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await ada.click('Copy the rows')
    await ada.sees('Values that look like formulas: 1. In the copy')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      "id\tcustomer\ttotal\tnote\n9\tBob\t100\t'=1+1\n10\tAda\t9.50\tfirst, of two",
    )
    expect(ada.problems).toEqual([])
  })

  it('shows the table first, a line of the output by its address, and then what the user chose', async () => {
    const session = `/sessions/${await run(ORDERS)}`
    await using ada = await stage.enter(session)
    const selected = (name: string) => ada.page.getByRole('tab', { name, selected: true }).waitFor()
    await selected('Table')
    await ada.goTo(`${session}#L2`)
    await selected('Output')
    await ada.goTo('/sessions')
    await ada.goTo(session)
    await selected('Table')
    await ada.page.getByRole('tab', { name: 'Output' }).click()
    await selected('Output')
    await ada.goTo('/sessions')
    await ada.goTo(session)
    await ada.page.getByRole('tab', { name: 'Table', selected: false }).waitFor()
    await selected('Output')
    expect(ada.problems).toEqual([])
  })

  it('lets a table grow while the command runs, and keeps what the user does there', async () => {
    const go = stage.site.place.at('go')
    const session = await begin(
      `echo day,orders; echo 2026-11-27,12; echo 2026-11-28,7; until [ -e '${go}' ]; do sleep 0.05; done; echo 2026-11-29,9`,
    )
    await using ada = await stage.enter(`/sessions/${session}?tab=table`)
    await expect.poll(() => cells(ada, 2)).toEqual(['12', '7'])
    await ada.page.getByRole('searchbox', { name: 'Filter the rows of Result' }).fill('2026')
    await ada.page.getByRole('columnheader', { name: 'orders' }).getByRole('button').click()
    await expect.poll(() => cells(ada, 2)).toEqual(['7', '12'])
    writeFileSync(go, '')
    await expect.poll(() => cells(ada, 2)).toEqual(['7', '9', '12'])
    expect(ada.problems).toEqual([])
  })

  it('folds groups of lines, and opens the group that has a hit', async () => {
    const group = (name: string, lines: number) =>
      `printf '%s\n' '::group::${name}'; seq -f '${name} step %g' ${lines}; echo ::endgroup::`
    const session = await run(`echo start; ${group('Install', 5000)}; ${group('Check', 3)}; echo over`)
    await using ada = await stage.enter(`/sessions/${session}?tab=output`)
    const { page } = ada
    const toggle = page.getByRole('button', { name: 'Install 5,000 lines' })
    await toggle.waitFor()
    expect(await toggle.getAttribute('aria-expanded')).toBe('false')
    const log = page.getByRole('log', { name: 'Output' })
    await log.getByText('Check step 3').waitFor()
    expect(await log.getByText('Install step').count()).toBe(0)
    expect(await log.getByText('::').count()).toBe(0)
    expect(await ada.faults()).toEqual([])
    await page.getByRole('searchbox', { name: 'Search output' }).fill('install step 4321')
    await log.getByText('Install step 4321').waitFor()
    await ada.goTo(`/sessions/${session}#L2003`)
    await log.getByText('Install step 2001').waitFor()
    await page.keyboard.press('Home')
    await log.press('Home')
    await toggle.press('Enter')
    await log.getByText('Check step 3').waitFor()
    const answer = await stage.site.rest.send('GET', `/api/sessions/${session}/result/stream`)
    expect(answer.body).toContain('::group::Install\nInstall step 1\n')
    expect(ada.problems).toEqual([])
  })

  it('shows names of groups as text', async () => {
    const session = await run(String.raw`printf '::group::<img src=x onerror=alert(1)> ‮abc[31m red
'; seq 30`)
    await using ada = await stage.enter(`/sessions/${session}?tab=output`)
    await ada.page.getByRole('button', { name: '<img src=x onerror=alert(1)>' }).waitFor()
    expect(await ada.page.locator('.log img').count()).toBe(0)
    expect(await ada.output()).not.toContain('\u202e')
    expect(ada.problems).toEqual([])
  })

  it('shows several results of psql as several tables, and one of them as a chart', async () => {
    await using ada = await stage.enter(`/sessions/${await run(PSQL)}?tab=table`)
    const { page } = ada
    await page.getByRole('table', { name: 'Result 2' }).waitFor()
    expect(await page.getByRole('table', { name: 'Result' }).count()).toBe(2)
    await page.getByRole('tab', { name: 'Table' }).press('End')
    await page.getByRole('tab', { name: 'Script', selected: true }).press('ArrowLeft')
    await page.getByRole('img', { name: 'orders by day: 2 values from 7 to 12' }).locator('canvas').waitFor()
    await page.getByLabel('Shape').selectOption('Bars')
    await page.getByLabel('Result', { exact: true }).selectOption('Result 2')
    await page
      .getByRole('img', { name: 'orders by status: 2 values from 8 to 11' })
      .locator('canvas')
      .waitFor()
    expect(await ada.faults()).toEqual([])
    expect(ada.problems).toEqual([])
    expect(ada.foreign).toEqual([])
  })

  it('draws a chart whose labels are whole, and enlarges a part of it; on a phone, too', async () => {
    const script = `echo month,total; for m in {101..125}; do echo "September $m,12345678$m"; done`
    await using ada = await stage.arrive({ viewport: { width: 1280, height: 800 } })
    const { page } = ada
    await page.context().addInitScript(`
      window.drawn = []
      const { fillText } = CanvasRenderingContext2D.prototype
      CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        const { a, e } = this.getTransform()
        const width = this.measureText(text).width * a
        const left = x * a + e - { left: 0, start: 0, center: width / 2, right: width, end: width }[this.textAlign]
        drawn.push({ text, left, right: left + width, most: this.canvas.width })
        return fillText.apply(this, arguments)
      }`)
    await ada.signIn(stage.site.token, `/sessions/${await run(script)}?tab=chart`)
    const chart = page.getByRole('img', { name: /^total by month: 25 values/ })
    await chart.locator('canvas').waitFor()
    const drawn = () =>
      page.evaluate<{ text: string; left: number; right: number; most: number }[]>('window.drawn')
    const cut = async () =>
      (await drawn()).filter(({ left, right, most }) => left < 0 || right > most).map(({ text }) => text)
    await expect.poll(async () => (await drawn()).map(({ text }) => text)).toContain('September 125')
    expect(await cut()).toEqual([])

    const over = chart.locator('.u-over')
    const { x, y, width } = (await over.boundingBox()) ?? { x: 0, y: 0, width: 0 }
    await page.evaluate('window.drawn = []')
    await page.mouse.move(x + width * 0.45, y + 50)
    await page.mouse.down()
    await page.mouse.move(x + width * 0.55, y + 50, { steps: 4 })
    await page.mouse.up()
    await expect.poll(async () => (await drawn()).map(({ text }) => text)).toContain('September 113')
    expect((await drawn()).map(({ text }) => text)).not.toContain('September 125')
    await over.dblclick()
    await expect.poll(async () => (await drawn()).map(({ text }) => text)).toContain('September 125')

    await page.setViewportSize({ width: 390, height: 844 })
    await expect.poll(async () => (await drawn()).at(-1)?.most).toBeLessThan(390)
    const bottom = async (name: string) =>
      page.locator(name).evaluate((one) => one.getBoundingClientRect().bottom)
    await expect.poll(() => bottom('.u-legend')).toBeLessThan(await bottom('section[aria-label=Chart]'))
    expect(await cut()).toEqual([])
    expect(ada.problems).toEqual([])
  })

  it('charts the sum, the average or the number of the rows of a day; on a phone, too', async () => {
    const script = 'echo at,total; for at in 27T08:00 27T20:00 28T09:00; do echo "2026-11-${at}:00Z,4"; done'
    await using ada = await stage.arrive({ viewport: { width: 390, height: 844 } })
    const { page } = ada
    await ada.signIn(stage.site.token, `/sessions/${await run(script)}?tab=chart`)
    const chart = (name: string) => page.getByRole('img', { name }).locator('canvas').waitFor()
    await chart('total by at: 3 values from 4 to 4')
    await page.getByRole('combobox', { name: 'Value' }).selectOption('sum')
    await chart('sum of total by at: 3 values from 4 to 4')
    await page.getByRole('combobox', { name: 'Per' }).selectOption('day (UTC)')
    await chart('sum of total by at: 2 values from 4 to 8')
    await page.getByRole('combobox', { name: 'Value' }).selectOption('average')
    await chart('average of total by at: 2 values from 4 to 4')
    await page.getByRole('combobox', { name: 'Value' }).selectOption('number of rows')
    await chart('rows by at: 2 values from 1 to 2')
    expect(await faultsOfLayout(page)).toEqual([])
    expect(await ada.faults()).toEqual([])
    expect(ada.problems).toEqual([])
  })

  it('has no tab where it is not clear that the output is a table', async () => {
    await using ada = await stage.enter(`/sessions/${await run('echo "Hello, world"; echo "Goodbye, moon"')}`)
    await ada.reads('Goodbye, moon')
    expect(await ada.page.getByRole('tab').allInnerTexts()).toEqual(['Output', 'Script'])
  })

  it('scrolls, sorts and filters 100,000 rows', async () => {
    const script = `echo id,name,total; seq 100000 | awk '{ printf "%d,customer %d,%.2f\\n", $1, $1 % 977, ($1 * 7919 % 100000) / 100 }'`
    await using ada = await stage.enter(`/sessions/${await run(script)}?tab=table`)
    const { page } = ada
    await page.getByRole('table', { name: 'Result' }).waitFor()
    await ada.sees('100,000 rows')
    await page.getByRole('region', { name: /^Rows of Result/ }).press('End')
    await page.getByRole('cell', { name: '100000', exact: true }).waitFor()
    await page.getByRole('columnheader', { name: 'total' }).getByRole('button').click()
    await page.getByRole('region', { name: /^Rows of Result/ }).press('Home')
    await page.getByRole('cell', { name: '0.00', exact: true }).first().waitFor()
    await page.getByRole('searchbox', { name: 'Filter the rows of Result' }).fill('customer 976')
    await ada.sees('102 of 100,000 rows')
    expect(ada.problems).toEqual([])
  })
})
