import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { missingProgram, without } from '../../support/machine/servers.ts'
import { waitFor } from '../../support/wait.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const PROMPT = /bash-[\d.]+[$#]\s*$/
const noVi = missingProgram('vi')

describe.skipIf(missingBrowser !== undefined)(`a terminal of the page${without(missingBrowser)}`, () => {
  const stage = new Stage({
    connections: [{ name: 'shell', command: ['bash', '--norc', '-i'], env: { TERM: 'xterm-256color' } }],
  })

  /** What stands on the screen. */
  function screen({ page }: Visitor): Promise<string> {
    return page.locator('.xterm-rows').innerText()
  }

  async function openShell(visitor: Visitor): Promise<void> {
    const card = visitor.page.getByRole('row', { name: /^shell/ })
    await card.getByRole('link', { name: 'Terminal' }).click()
    await shows(visitor, PROMPT)
  }

  async function shows(visitor: Visitor, text: string | RegExp): Promise<void> {
    await waitFor(async () => {
      const now = (await screen(visitor)).replaceAll('\u00a0', ' ')
      return typeof text === 'string' ? now.includes(text) : text.test(now)
    })
  }

  it.skipIf(noVi !== undefined)(`edits a file with vi, and plays it again${without(noVi)}`, async () => {
    await using ada = await stage.enter('/connections')
    const { page } = ada
    await openShell(ada)
    await page.keyboard.type('cd; vi -u NONE edited.txt\n')
    await shows(ada, /^~/m)
    await page.keyboard.type('ifirst line\nsecond line')
    await page.keyboard.press('Escape')
    await shows(ada, 'second line')
    await ada.picture('terminal')
    await page.keyboard.type('kdd:wq\n')
    await shows(ada, PROMPT)
    expect(readFileSync(stage.site.place.at('home', 'edited.txt'), 'utf8')).toBe('second line\n')
    await page.keyboard.type('exit 7\n')
    await ada.sees('exit code 7')
    expect(ada.problems).toEqual([])
    expect(await ada.faults()).toEqual([])

    const { body } = await stage.site.rest.send('GET', '/api/sessions?limit=1')
    const { data } = JSON.parse(body) as { data: [{ id: string }] }
    await ada.goTo(`/sessions/${data[0].id}`)
    // The text has what a person could see. Keys of a test are faster, so only the last screen is certain.
    await page
      .getByRole('region', { name: 'Text', exact: true })
      .getByText(/edited\.txt.*\b12\b/)
      .waitFor()
    await page.getByRole('button', { name: 'Replay', exact: true }).click()
    await page.getByLabel('Speed').selectOption('16')
    await shows(ada, 'exit')
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor()
    await ada.picture('replay')
    await page.getByLabel('Position').press('Home')
    await page.getByLabel('Position').fill('0')
    await ada.sees(/^0\.0 s of /)
    expect((await screen(ada)).trim()).toBe('')
    expect(await ada.faults()).toEqual([])
  })

  it('follows the size of the window, and leaves a program by keys', async () => {
    await using ada = await stage.enter('/connections/shell/terminal', {
      viewport: { width: 800, height: 600 },
    })
    await shows(ada, PROMPT)
    await ada.page.keyboard.type('stty size\n')
    await shows(ada, /\d+ \d+/)
    await ada.page.setViewportSize({ width: 1200, height: 900 })
    await ada.page.keyboard.type('clear; stty size\n')
    await shows(ada, /^\d+ 1[0-9]{2}/m)
    await ada.page.keyboard.press('Control+Shift+Escape')
    await ada.page.locator('main:focus').waitFor()
  })

  it('goes on after a reload and a lost connection: with its screen, its program and its keys', async () => {
    await using ada = await stage.enter('/connections/shell/terminal')
    const { page } = ada
    await shows(ada, PROMPT)
    // The page asks the terminal what it is (ESC [ c): the screen after the reload must not answer once more.
    await page.keyboard.type(`mark=kept; printf '\\033[c'; read -rsd c; echo be"fore"\n`)
    await shows(ada, /^before/m)
    let drop: () => Promise<void> = () => Promise.resolve()
    await page.routeWebSocket(/terminal/, (route) => {
      route.connectToServer()
      drop = () => route.close({ code: 1001 })
    })
    page.once('dialog', (dialog) => void dialog.accept())
    await page.reload()
    await shows(ada, /^before/m)
    await page.locator('.xterm-helper-textarea').focus()
    await page.keyboard.type('echo $mark $((6 * 7))\n')
    await shows(ada, /^kept 42/m)
    expect(await screen(ada)).not.toContain('1;2c')
    await drop()
    await ada.sees('connecting again')
    await page.locator('.terminal-status', { hasText: 'Everything that you see' }).waitFor()
    await page.keyboard.type('echo still $mark\n')
    await shows(ada, /^still kept/m)
    await ada.click('End')
    await ada.click('End the terminal')
    await ada.sees('You have closed the terminal')
    expect(ada.problems).toEqual([])
  })

  it('asks before it is left, finds a text, draws larger letters, and is closed by the user', async () => {
    await using ada = await stage.enter('/connections')
    const { page } = ada
    await openShell(ada)
    await page.keyboard.type(`seq 300; printf '\\033[38;2;1;2;250mblue\\033[0m\\n'; echo under_score\n`)
    await shows(ada, /^under_score/m)
    await page.keyboard.press('Control+Shift+Escape')
    const row = page.locator('.xterm-rows > div').first()
    const before = (await row.boundingBox())?.height ?? 0
    // An underscore of 14 px letters ends below 16 px.
    expect(before).toBeGreaterThan(16)
    await ada.click('Larger letters')
    await waitFor(async () => ((await row.boundingBox())?.height ?? 0) > before)
    await page.getByRole('searchbox', { name: 'Search the terminal' }).fill('not there')
    await page.keyboard.press('Enter')
    await ada.sees('nothing found')
    await page.getByRole('searchbox', { name: 'Search the terminal' }).fill('142')
    await page.keyboard.press('Enter')
    await shows(ada, /^142\s*$/m)
    // What is found is selected, and has a colour of its own.
    expect(ada.problems).toEqual([])
    expect(await ada.faults()).toEqual([])
    await page.goBack()
    await ada.click('Stay')
    expect(page.url()).toContain('/terminal')
    await page.getByRole('link', { name: 'All connections' }).click()
    await ada.click('Stay')
    await ada.click('End')
    expect(await ada.faults()).toEqual([])
    await ada.click('End the terminal')
    await ada.sees('You have closed the terminal')
    await page.getByRole('link', { name: 'Sessions of this connection' }).click()
    await page.getByRole('heading', { name: 'Sessions' }).waitFor()
    await ada.sees('closed')
  })

  it('shows the last line of a program that writes 20 MB at once, and takes keys then', async () => {
    await using ada = await stage.enter('/connections/shell/terminal')
    await shows(ada, PROMPT)
    await ada.page.keyboard.type(`yes $(printf %0999d 7) | head -c 20000000; echo; echo the l''ast\n`)
    await shows(ada, 'the last')
    await ada.page.keyboard.type('echo keys $((6 * 7))\n')
    await shows(ada, 'keys 42')
    expect(ada.problems).toEqual([])
  })
})
