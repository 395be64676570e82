import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { faultsOfKeys, faultsOfLayout } from './looks.ts'
import { openMadeSession, picturesOf } from './made-session.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

// The record of a terminal, as the page shows it. That a real terminal is recorded is in terminal.test.ts, and that
// the text is that of a real terminal in test/web/views/past-text.test.ts.

const PHONE = { width: 390, height: 844 }
const BEGAN = '2026-12-01T13:12:40Z'
/** Far fewer than there are. */
const MOST_DRAWN = 200

type Written = readonly [at: number, text: string]

const PROMPT = '\x1b[32mbea@bastion-eu\x1b[0m:\x1b[34m~\x1b[0m$ '
const typed = (at: number, command: string, ...output: readonly string[]): Written[] => [
  [at, command],
  [at + 1, `\r\n${output.map((line) => `${line}\r\n`).join('')}${PROMPT}`],
]
const DISK: readonly Written[] = [
  [0, PROMPT],
  ...typed(
    4,
    'ssh web-06 df -h /',
    'Filesystem      Size  Used Avail Use%',
    '/dev/nvme0n1p2   98G   93G  147M 100%',
  ),
  ...typed(
    40,
    "ssh web-06 'du -xh /var | sort -h | tail'",
    '4.1G    /var/log/journal',
    '61G     /var/log/shop',
    '68G     /var/log',
  ),
  ...typed(
    142,
    'ssh web-06 ls -lh /var/log/shop',
    'total 61G',
    '-rw-r----- 1 shop adm  58G Nov 28 16:39 access_debug.log',
  ),
  [200, 'less notes\r\n\x1b[?1049h\x1b[H\x1b[2Jthe notes\r\nof the shop'],
  [230, `\x1b[?1049l${PROMPT}`],
  ...typed(
    690,
    'ssh -t web-06 sudo truncate -s 0 /var/log/shop/access_debug.log',
    '[sudo] password for bea: ',
  ),
  [1052, 'exit'],
  [1053, '\r\nlogout\r\n'],
]

describe.skipIf(missingBrowser !== undefined)(`a past terminal on the page${without(missingBrowser)}`, () => {
  const stage = new Stage({})

  /** Opens the session of a terminal with this record. */
  function opened(written: readonly Written[], options = {}): Promise<Visitor> {
    const events = written.map(([at, text]) => [at, 'o', Buffer.from(text).toString('base64')])
    const event_stream = [[0, 'r', Buffer.from('100x24').toString('base64')], ...events]
    const terminal = { verb: 'connect', connection: 'bastion-eu', script: { data: '' }, began_at: BEGAN }
    const size = { event_size: written.reduce((sum, [, text]) => sum + text.length, 0) }
    const change = (session: object, url: string) => ({
      ...{ ...session, ...terminal, ...size },
      ...(url.includes('event_stream') && { event_stream }),
    })
    return openMadeSession({ stage, change, options })
  }

  const text = ({ page }: Visitor) => page.getByRole('region', { name: 'Text', exact: true })

  it('is text with times, which a search finds one by one, and the keys move between the hits', async () => {
    await using bea = await opened(DISK)
    const { page } = bea
    await text(bea).getByText('access_debug.log').first().waitFor()
    await text(bea).getByText('of the shop').waitFor()
    expect(await text(bea).innerText()).not.toContain('\x1b')
    await page.getByRole('searchbox', { name: 'Search the text' }).fill('61g')
    await bea.sees('1 of 2')
    await page.locator('.row.is-found', { hasText: '/var/log/shop' }).waitFor()
    await page.getByRole('searchbox', { name: 'Search the text' }).press('Enter')
    await bea.sees('2 of 2')
    await page.locator('.row.is-found', { hasText: 'total' }).waitFor()
    await bea.click('Next match')
    await bea.sees('1 of 2')
    await bea.click('Previous match')
    await bea.sees('2 of 2')
    expect(await bea.faultsInBothThemes()).toEqual([])
    expect(await faultsOfKeys(page)).toEqual([])
    await page.getByRole('searchbox', { name: 'Search the text' }).fill('no such text')
    await bea.sees('nothing found')
    expect(bea.problems).toEqual([])
  })

  it('lists the commands, goes to each, and replays from there', async () => {
    await using bea = await opened(DISK)
    const { page } = bea
    const commands = page.getByRole('complementary', { name: 'Commands' })
    await commands.getByRole('heading', { name: '6 commands' }).waitFor()
    expect(await commands.locator('code').allInnerTexts()).toContain('less notes')
    await commands.getByRole('button', { name: 'ssh web-06 ls -lh' }).click()
    await page.locator('.row.is-found', { hasText: 'ls -lh /var/log/shop' }).waitFor()
    await bea.click('Replay from here')
    await bea.sees(/^2 min 2\d s of 17 min 33 s$/)
    await bea.click('Text')
    await text(bea).waitFor()
    await page.getByRole('button', { name: 'Replay', exact: true }).click()
    await bea.sees(/^0\.\d s of 17 min 33 s$/)
    expect(await bea.faults()).toEqual([])
    expect(bea.problems).toEqual([])
  })

  it('is downloaded as text with the time of each line', async () => {
    await using bea = await opened(DISK, { timezoneId: 'UTC' })
    const waiting = bea.page.waitForEvent('download')
    await bea.click('Download .txt')
    const download = await waiting
    expect(download.suggestedFilename()).toMatch(/^terminal-[\d-]+\.txt$/)
    const saved = stage.site.place.at('terminal.txt')
    await download.saveAs(saved)
    expect(readFileSync(saved, 'utf8').split('\n').slice(0, 5)).toEqual([
      '2026-12-01 13:12:45\tbea@bastion-eu:~$ ssh web-06 df -h /',
      '2026-12-01 13:12:45\tFilesystem      Size  Used Avail Use%',
      '2026-12-01 13:12:45\t/dev/nvme0n1p2   98G   93G  147M 100%',
      "2026-12-01 13:13:21\tbea@bastion-eu:~$ ssh web-06 'du -xh /var | sort -h | tail'",
      '2026-12-01 13:13:21\t4.1G    /var/log/journal',
    ])
  })

  it('draws only the visible lines of 10 MB, finds the last of them, and says what it has left out', async () => {
    const piece = (from: number) => Array.from({ length: 1000 }, (_, at) => `line ${from + at}\r\n`).join('')
    const many = Array.from({ length: 600 }, (_, at): Written => [at, piece(at * 1000)])
    await using bea = await opened(many)
    const { page } = bea
    await bea.sees('The text ends at')
    await bea.sees('500,000 lines')
    expect(await page.locator('.log-rows .row').count()).toBeLessThan(MOST_DRAWN)
    await page.getByRole('searchbox', { name: 'Search the text' }).fill('line 499999')
    await page.locator('.row.is-found', { hasText: 'line 499999' }).waitFor()
    await bea.sees('1 of 1')
    expect(bea.problems).toEqual([])
  })

  it('says so when it is too large to be shown', async () => {
    await using bea = await opened([[0, 'x'.repeat(17 * 1024 * 1024)]])
    await bea.sees('too much to show here')
    await bea.page.getByRole('link', { name: 'Download the output' }).waitFor()
  })

  it('has room on a phone', async () => {
    await using bea = await opened(DISK, { viewport: PHONE })
    const { page } = bea
    await text(bea).waitFor()
    await page.getByRole('searchbox', { name: 'Search the text' }).fill('61g')
    await bea.sees('1 of 2')
    expect(await faultsOfLayout(page)).toEqual([])
    for (const view of ['text', 'replay'] as const) {
      if (view === 'replay') await page.getByRole('button', { name: 'Replay', exact: true }).click()
      if (view === 'replay') await page.locator('.xterm-rows').waitFor()
      expect(await faultsOfLayout(page)).toEqual([])
      await picturesOf(bea, `past-terminal-${view}`)
    }
  })
})
