import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { waitFor } from '../../support/wait.ts'
import { faultsOfLayout } from './looks.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const WEB = new URL('../../../dist/web/', import.meta.url)
const PHONE = { viewport: { width: 390, height: 844 } }
const TABLE = `printf 'day,orders\\n2026-11-27,12\\n2026-11-28,7\\n'`
/** Time that a key may take until its letter is drawn, in a script of 1 MB. */

describe.skipIf(missingBrowser !== undefined)(`a script of one's own${without(missingBrowser)}`, () => {
  const stage = new Stage({
    users: { sue: ['support'], bea: ['dba'], aud: ['auditor'] },
    masking: [{ name: 'mails', entities: ['EMAIL_ADDRESS'] }],
    guardrails: [
      {
        name: 'no-delete-without-where',
        input: [{ type: 'pattern_match', pattern_regex: '(?i)delete from \\w+;', message: 'name the rows' }],
      },
    ],
    connections: [
      { name: 'shop', command: ['bash'], confirm: true, masking: ['mails'] },
      {
        name: 'books',
        command: ['cat'],
        guardrails: ['no-delete-without-where'],
        review: { groups: ['dba'] },
      },
      { name: 'closed', command: ['cat'], access: { exec: false } },
    ],
  })

  const editor = ({ page }: Visitor) => page.getByRole('textbox', { name: 'Text of the script' })
  /** An empty line is read as a line break. */
  const textIn = async (visitor: Visitor) => {
    const lines = await editor(visitor).locator('.cm-line').allInnerTexts()
    return lines
      .map((line) => line.replace('\n', ''))
      .join('\n')
      .trimEnd()
  }

  async function opened(who: string, connection: string, options = {}): Promise<Visitor> {
    const visitor = await stage.arrive(options)
    await visitor.signIn(stage.site.tokenOf(who), `/run?connection=${connection}`)
    await editor(visitor).waitFor()
    return visitor
  }

  async function scriptsOf(who: string): Promise<string[]> {
    const { body } = await stage.site.rest.send(
      'GET',
      '/api/sessions?kind=script&limit=50',
      undefined,
      stage.site.tokenOf(who),
    )
    return (JSON.parse(body) as { data: { script_line: string }[] }).data.map(({ script_line: line }) => line)
  }

  it('runs a script by the keyboard alone, and shows its result as a table', async () => {
    await using sue = await opened('sue', 'bash')
    const { page } = sue
    await page.getByLabel('Connection', { exact: true }).focus()
    while (!(await editor(sue).evaluate((one) => one === document.activeElement)))
      await page.keyboard.press('Tab')
    await page.keyboard.type(TABLE)
    await page.keyboard.press('Control+Enter')
    await page.getByRole('table', { name: 'Result' }).waitFor()
    await sue.sees('succeeded')
    expect(await textIn(sue)).toBe(TABLE)
    await page.getByRole('tab', { name: 'Chart' }).click()
    await page.locator('.uplot').waitFor()
    expect(await sue.faultsInBothThemes()).toEqual([])
    await page.getByRole('tab', { name: 'Output' }).click()
    await sue.reads('2026-11-28')
    // Tab leaves the editor: it is no trap.
    await editor(sue).focus()
    await page.keyboard.press('Tab')
    expect(await editor(sue).evaluate((one) => one === document.activeElement)).toBe(false)
    await page.reload()
    await sue.reads('2026-11-28')
    expect(await textIn(sue)).toBe(TABLE)
    expect([...sue.problems, ...sue.foreign]).toEqual([])
  })

  it('draws only the rows in sight of a large result, and keeps the menu in its place', async () => {
    await using sue = await opened('sue', 'bash')
    const { page } = sue
    await editor(sue).fill(`printf 'id\\tname\\n'; seq 1 3000 | sed 's/$/\\tx/'`)
    await page.keyboard.press('Control+Enter')
    const table = page.getByRole('table', { name: 'Result' })
    await table.getByRole('cell', { name: '3', exact: true }).waitFor()
    expect(await table.locator('tbody tr').count()).toBeLessThan(100)
    await page.keyboard.press('Control+Home')
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    const menu = await page.getByRole('navigation', { name: 'Main' }).boundingBox()
    expect(menu?.y).toBeGreaterThan(-2)
    expect(sue.problems).toEqual([])
  })

  it('runs only the selection if there is one, and opens a recent script', async () => {
    await using sue = await opened('sue', 'bash')
    const { page } = sue
    await editor(sue).fill('echo first line\necho second line')
    await page.keyboard.press('Control+End')
    await page.keyboard.press('Shift+Home')
    await sue.sees('1 line selected: only the selection runs')
    await page.getByRole('button', { name: 'Run the selection' }).click()
    await sue.reads('second line')
    expect(await sue.output()).not.toContain('first line')
    await editor(sue).fill('echo other')
    await page.getByRole('button', { name: 'echo second line' }).click()
    await expect.poll(() => textIn(sue)).toBe('echo second line')
    await page.keyboard.press('Control+z')
    await expect.poll(() => textIn(sue)).toBe('echo other')
  })

  it('says before a run who approves it, what is masked and what is asked, and asks for the name', async () => {
    await using sue = await opened('sue', 'shop')
    const { page } = sue
    await sue.sees('EMAIL_ADDRESS masked')
    await sue.sees('no approval')
    await editor(sue).fill('echo to ann@shop.example')
    const run = page.getByRole('button', { name: 'Run', exact: true })
    await page.keyboard.press('Control+Enter')
    await sue.sees('Type shop exactly. Nothing was sent.')
    await expect
      .poll(() => page.evaluate<string>('document.activeElement.labels?.[0]?.innerText'))
      .toBe('Type shop to confirm')
    await page.keyboard.type('shop')
    await run.click()
    await sue.reads('to <EMAIL_ADDRESS>')
    await sue.sees('were masked')
    expect((await scriptsOf('sue')).filter((line) => line.includes('ann@shop'))).toHaveLength(1)
    const names = await page.getByLabel('Connection', { exact: true }).locator('option').allInnerTexts()
    expect(names).toEqual(['bash', 'shop', 'books'])
  })

  it('shows the rule that refuses the script at its line, and neither runs nor asks', async () => {
    await using sue = await opened('sue', 'books', PHONE)
    const { page } = sue
    await sue.sees('approval by dba')
    await editor(sue).fill('BEGIN;\nDELETE FROM carts;\nCOMMIT;')
    await sue.sees('Refused, line 2: name the rows')
    expect(await page.locator('.cm-line.is-refused').innerText()).toBe('DELETE FROM carts;')
    expect(await page.getByRole('button', { name: 'Ask for approval' }).isDisabled()).toBe(true)
    // A rule counts only for what would run, and its line is that of the whole text.
    await page.keyboard.press('Shift+Home')
    await page.getByText('Refused, line').waitFor({ state: 'detached' })
    await page.keyboard.press('Shift+ArrowUp')
    await sue.sees('Refused, line 2: name the rows')
    await page.keyboard.press('Control+Enter')
    expect(await sue.faultsInBothThemes()).toEqual([])
    expect(await faultsOfLayout(page)).toEqual([])
    await editor(sue).fill('BEGIN;\nDELETE FROM carts WHERE id = 7;\nCOMMIT;')
    await page.getByText('Refused, line').waitFor({ state: 'detached' })
    await sue.sees('dba has to approve. You cannot approve your own script.')
    await sue.sees('dba: bea')
    await page.getByRole('button', { name: 'Ask for approval' }).click()
    await sue.sees('Nothing has run yet')
    expect(await scriptsOf('sue')).toContain('BEGIN;')
    expect((await scriptsOf('sue')).filter((line) => line === 'BEGIN;')).toHaveLength(1)
    await using bea = await stage.arrive()
    const id = new URL(page.url()).searchParams.get('session') ?? ''
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${id}`)
    await bea.page
      .getByRole('button', { name: /^Approve/ })
      .first()
      .click()
    const dialog = bea.page.getByRole('dialog')
    if (await dialog.isVisible()) await dialog.getByRole('button', { name: /^Approve/ }).click()
    await sue.reads('DELETE FROM carts WHERE id = 7;')
    expect(sue.problems).toEqual([])
  })

  it('marks the line of an SQL error by the text that the client quotes, until the script is another one', async () => {
    await using sue = await opened('sue', 'bash')
    const { page } = sue
    const failing = `printf 'ERROR:  relation "nowhere" does not exist\\nLINE 2: from nowhere\\n' >&2`
    await editor(sue).fill(`echo one\n\n${failing}; exit 3\necho four`)
    await page.keyboard.press('Control+Enter')
    await sue.sees('Error in line 3: relation "nowhere" does not exist')
    expect(await page.locator('.cm-line.is-refused').innerText()).toContain('from nowhere')
    expect(await page.locator('.cm-gutterElement.is-refused').innerText()).toBe('3')
    expect(await sue.faultsInBothThemes()).toEqual([])
    for (const width of [1440, 1024, 390]) {
      await page.setViewportSize({ width, height: 900 })
      expect(await faultsOfLayout(page)).toEqual([])
    }
    await editor(sue).focus()
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.type('x')
    await sue.sees('Error in line 3 of the script that ran')
    expect(await page.locator('.cm-line.is-refused').count()).toBe(0)
    expect(sue.problems).toEqual([])
  })

  it('refuses before it sends, if Ctrl+Enter is faster than the answer about the text', async () => {
    await using sue = await opened('sue', 'books')
    const before = await scriptsOf('sue')
    await editor(sue).fill('DELETE FROM baskets;')
    await sue.page.keyboard.press('Control+Enter')
    await sue.sees('Refused, line 1')
    expect(await scriptsOf('sue')).toEqual(before)
  })

  it('keeps a draft for each connection, saved scripts, and nothing that may be a secret', async () => {
    await using sue = await opened('sue', 'bash')
    const { page } = sue
    const kept = () => page.evaluate('JSON.stringify(localStorage)')
    await editor(sue).fill('echo of bash')
    await page.getByLabel('Connection', { exact: true }).selectOption('shop')
    await waitFor(async () => (await textIn(sue)).trim() === '')
    await editor(sue).fill('echo of shop')
    await page.getByLabel('Connection', { exact: true }).selectOption('bash')
    await waitFor(async () => (await textIn(sue)) === 'echo of bash')
    await sue.click('Save')
    await page.getByLabel('Name').fill('My echo')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'My echo', exact: true }).waitFor()
    await editor(sue).fill(`curl --user ann --password hunter2hunter2`)
    await sue.sees('it may contain a secret')
    expect(await kept()).not.toContain('hunter2')
    await sue.click('Save')
    await sue.sees('This browser does not keep this script')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'My echo', exact: true }).click()
    expect(await textIn(sue)).toBe('echo of bash')
    await expect.poll(kept).toContain('echo of shop')
    await page.getByRole('button', { name: /your menu$/ }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token').waitFor()
    expect(await kept()).not.toContain('echo of')
  })

  it('keeps what was typed just before the view is left, and nothing after a sign-out in another tab', async () => {
    await using sue = await opened('sue', 'bash')
    const { page } = sue
    const kept = () => page.evaluate('JSON.stringify(localStorage)')
    const leave = () => page.evaluate(`document.querySelector('a[href="/runbooks"]').click()`)
    await editor(sue).fill('echo typed last')
    await leave()
    await page.getByRole('heading', { level: 1, name: 'Runbooks' }).waitFor()
    expect(await kept()).toContain('echo typed last')
    await page.goBack()
    await waitFor(async () => (await textIn(sue)) === 'echo typed last')
    // This tab cannot learn of the sign-out from the gateway.
    await page.route('**/api/**', (route) => route.abort())
    const other = await page.context().newPage()
    await other.goto(new URL('/', page.url()).href)
    await other.getByRole('button', { name: /your menu$/ }).click()
    await other.getByRole('button', { name: 'Sign out' }).click()
    await other.getByLabel('Token').waitFor()
    expect(await kept()).not.toContain('echo typed')
    await editor(sue).fill('echo typed after')
    await leave()
    await page.getByRole('heading', { level: 1, name: 'Runbooks' }).waitFor()
    expect(await kept()).not.toContain('echo typed')
  })

  it('keeps what was typed just before the sign-in turned out to be expired', async () => {
    await using sue = await opened('sue', 'bash')
    const { page } = sue
    await page.context().clearCookies()
    await editor(sue).fill('echo work of an hour')
    await page.keyboard.press('Control+Enter')
    await page.getByLabel('Token').fill(stage.site.tokenOf('bea'))
    await sue.click('Sign in')
    await editor(sue).waitFor()
    expect(await textIn(sue)).toBe('')
    await page.context().clearCookies()
    await page.reload()
    await page.getByLabel('Token').fill(stage.site.tokenOf('sue'))
    await sue.click('Sign in')
    await editor(sue).waitFor()
    await waitFor(async () => (await textIn(sue)) === 'echo work of an hour')
  })

  it('shows the script as the file of a runbook, with the marked values as parameters', async () => {
    await using sue = await opened('sue', 'bash')
    const { page } = sue
    await editor(sue).fill(`find /tmp -mtime 30 -name '*.log'`)
    await sue.click('Save as a runbook…')
    await page.getByLabel('Title').fill('Old logs')
    await page.getByRole('checkbox', { name: '30' }).check()
    await page.getByLabel('Name of 30').fill('days')
    await page.getByLabel('Description of 30').fill('older than these days')
    const file = page.getByRole('region', { name: 'The file' })
    expect(await file.innerText()).toBe(
      `# Old logs\nfind /tmp -mtime {{ .days | description "older than these days" | required "days is missing" | type "number" | pattern "^-?[0-9]+([.][0-9]+)?$" }} -name '*.log'\n`,
    )
    expect(await sue.faultsInBothThemes()).toEqual([])
    const download = page.waitForEvent('download')
    await sue.click('Download the file')
    expect((await download).suggestedFilename()).toBe('old-logs.runbook.sh')
  })

  it('says to auditors that they run nothing, and has no place in their menu', async () => {
    await using aud = await stage.arrive()
    await aud.signIn(stage.site.tokenOf('aud'), '/run')
    await aud.sees('Auditors cannot run scripts.')
    const menu = aud.page.getByRole('navigation', { name: 'Main' })
    expect(await menu.getByRole('link', { name: 'Script' }).count()).toBe(0)
  })

  it('draws only the lines in sight of a script of 1 MB, and loads less than 200 KB', async () => {
    await using sue = await stage.arrive()
    const { page } = sue
    // Files of other views, which a resting browser fetches ahead, would count too.
    await page.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, 'connection', { value: { saveData: true } }),
    )
    const files = new Set<string>()
    page.on('request', (request) => {
      const { pathname } = new URL(request.url())
      if (pathname.startsWith('/assets/')) files.add(pathname)
    })
    await sue.signIn(stage.site.tokenOf('sue'))
    await page.getByRole('heading', { level: 1, name: 'Hello, sue' }).waitFor()
    files.clear()
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Script' }).click()
    await editor(sue).waitFor()
    const bytes = [...files].map((file) => statSync(new URL(`.${file}.gz`, WEB)).size)
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000)
    expect(bytes.length).toBeGreaterThan(1)

    await editor(sue).evaluate((content) => {
      const pasted = new DataTransfer()
      pasted.setData(
        'text/plain',
        "echo 'a line of a long script, 64 bytes with its end ......'\n".repeat(17_000),
      )
      content.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: pasted, bubbles: true, cancelable: true }),
      )
    })
    await editor(sue).focus()
    await page.keyboard.press('Control+Home')
    await page.keyboard.type('x'.repeat(20))
    // The editor draws only the lines in sight, so a key costs no more than in a short script.
    expect(await page.locator('.cm-line').count()).toBeLessThan(200)
    expect(await textIn(sue)).toContain('xxxxxxxxxxxxxxxxxxxx')
    await sue.sees('longer than 64 KiB')
    expect(sue.problems).toEqual([])
  })
})
