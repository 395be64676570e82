import { readFileSync } from 'node:fs'
import Database from 'libsql'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { closeFile } from '../../../src/gateway/store/sqlite.ts'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
const ADMINISTRATION = 'Administration'

describe.skipIf(missingBrowser !== undefined)(
  `the page for those who operate${without(missingBrowser)}`,
  () => {
    const schedule = { cron: '30 2 * * *', timezone: 'Europe/Berlin', connection: 'bash', as: 'admin' }
    const stage = new Stage({
      connections: [{ name: 'other', command: ['bash'], access: { groups: ['dba'] } }],
      users: { fay: ['auditor'], ann: ['dev'] },
      schedules: [
        { name: 'nightly', runbook: 'ops/report.runbook.sh', ...schedule },
        { name: 'broken', runbook: 'ops/fails.runbook.sh', ...schedule },
      ],
      runbooks: {
        'ops/report.runbook.sh':
          'echo {{ .who | required "for whom" | description "for whom" | default "all" }}',
        'ops/fails.runbook.sh': 'exit 7',
      },
    })

    async function enter(name: string, view: string): Promise<Visitor> {
      const visitor = await stage.arrive()
      await visitor.signIn(stage.site.tokenOf(name), view)
      return visitor
    }

    it('finds entries of the audit log as they are asked for, shows all of one, and exports them', async () => {
      await using admin = await stage.enter('/audit')
      const { page } = admin
      await stage.site.rest.script('bash', 'echo audited')
      await admin.goTo('/audit?action=execute')
      const entry = page.getByRole('button', { name: /^ran a script/ }).first()
      await entry.waitFor()
      await page.getByLabel('Who').fill('nobody-is-called-so')
      await admin.sees('No entry fits these filters.')
      expect(new URL(page.url()).searchParams.get('who')).toBe('nobody-is-called-so')
      await page.getByLabel('Who').fill('ADM')
      await entry.click()
      const dialog = page.getByRole('dialog', { name: /^Entry \d+: admin ran a script$/ })
      await dialog.getByText('"verb": "exec"').waitFor()
      expect(await admin.faults()).toEqual([])
      await page.keyboard.press('Escape')
      const saved = page.waitForEvent('download')
      await page.getByRole('link', { name: 'CSV' }).click()
      const download = await saved
      expect(download.suggestedFilename()).toMatch(/^audit-log-.*\.csv$/)
      // The browser is another process, which keeps its own copy.
      const file = stage.site.place.at('audit-log.csv')
      await download.saveAs(file)
      const rows = readFileSync(file, 'utf8').trimEnd().split('\r\n')
      expect(rows.length).toBeGreaterThan(1)
      expect(rows.slice(1).every((row) => row.includes(',admin,') && row.includes(',execute,'))).toBe(true)
      expect(admin.problems).toEqual([])
    })

    it('folds away who looked at what in the audit log, until the reader asks for it', async () => {
      await stage.site.rest.script('bash', 'echo audited')
      await stage.site.rest.session(await stage.site.rest.lastSession())
      await using admin = await stage.enter('/audit')
      const { page } = admin
      const looked = page.getByRole('button', { name: /^looked at a session\b/ })
      const ran = page.getByRole('button', { name: /^ran a script\b/ })
      await ran.first().waitFor()
      expect(await looked.count()).toBe(0)
      const looking = page.getByRole('switch', { name: /^Show looking/ })
      const folded = Number(/\((\d+) folded away\)/.exec(await looking.locator('..').innerText())?.[1])
      expect(folded).toBeGreaterThan(0)
      // A JSON export stays whole, or `audit verify` would report gaps.
      const json = page.getByRole('link', { name: 'JSON' })
      expect(await json.getAttribute('href')).toBe('/api/audit/export?format=jsonl')
      await looking.check()
      await looked.first().waitFor()
      expect(new URL(page.url()).searchParams.get('views')).toBe('shown')
      await page.reload()
      await looked.first().waitFor()
      expect(await looking.isChecked()).toBe(true)
      expect(await admin.faults()).toEqual([])
      expect(admin.problems).toEqual([])
    })

    it('says of each entry on a phone what it is about, and has its buttons in one line', async () => {
      await stage.site.rest.script('bash', 'echo audited')
      await stage.site.rest.session(await stage.site.rest.lastSession())
      await using admin = await stage.enter('/audit?action=view&about=sessions', PHONE)
      const { page } = admin
      await page
        .getByRole('button', { name: /^looked at a session\b/ })
        .first()
        .waitFor()
      await page.getByText('on bash', { exact: true }).first().waitFor()
      await page
        .getByRole('button', { name: /^looked at sessions\b/ })
        .first()
        .waitFor()
      const buttons = page.locator('.head .push > *')
      const tops = await buttons.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top))
      expect(new Set(tops).size).toBe(1)
    })

    it('names what an entry of the audit log is about, with its id as a detail', async () => {
      const send = async (url: string, body: object) =>
        JSON.parse((await stage.site.rest.send('POST', url, JSON.stringify(body))).body) as { id: string }
      await send('/api/users', { email: 'new.person' })
      const { id } = await send('/api/tokens', { user: 'new.person', name: 'laptop' })
      await using admin = await stage.enter('/audit?action=create')
      const { page } = admin
      const created = page.locator('.audited').filter({ hasText: 'created a token' }).first()
      await created.getByText('laptop of new.person').waitFor()
      await created.getByText('admin', { exact: true }).waitFor()
      await created.getByRole('button').click()
      const dialog = page.getByRole('dialog', { name: /^Entry \d+: admin created a token$/ })
      await dialog.getByText(`tokens ${id}`).waitFor()
      await dialog.getByText('POST /api/tokens').waitFor()
      expect(admin.problems).toEqual([])
    })

    it('says whether the chain of the audit log is whole, and names the first entry that does not fit', async () => {
      await stage.site.rest.script('bash', 'echo audited')
      await using admin = await stage.enter('/audit')
      const { page } = admin
      const change = (from: string, to: string) => {
        const db = new Database(':memory:')
        db.exec(`ATTACH '${stage.site.place.at('state/history.sqlite')}' AS history`)
        try {
          const sql = `UPDATE audit_log SET entry = replace(entry, ?, ?) WHERE sequence IN (1, 2)`
          db.prepare(sql).run([from, to])
        } finally {
          closeFile(db)
        }
      }
      await page.getByText(/^the chain is whole up to entry \d+$/).waitFor()
      await page.getByText(/^checked at /).waitFor()
      change('"outcome":true', '"outcome":1234')
      try {
        await admin.click('Check now')
        await page.getByText('the chain is broken at entry 1').waitFor()
        const alert = page.getByRole('alert')
        await alert.getByText('The chain is broken: entry 1 was altered: its hash does not match').waitFor()
        expect(await admin.faults()).toEqual([])
      } finally {
        change('"outcome":1234', '"outcome":true')
      }
      await admin.click('Check now')
      await page.getByText(/^the chain is whole up to entry \d+$/).waitFor()
      expect(admin.problems).toEqual([])
    })

    it('shows what a reload would change, says what is wrong in the file, and reloads', async () => {
      const file = stage.site.place.at('gateway.yaml')
      const before = readFileSync(file, 'utf8')
      const settings = JSON.parse(before) as { users: object[]; listen: object; limits?: object }
      await using admin = await stage.enter('/settings')
      const { page } = admin
      await page.getByRole('region', { name: 'Agents and connections' }).waitFor()
      // What belongs to one user stands under the user's name.
      const people = page.getByRole('region', { name: 'People' })
      await people.getByRole('rowheader', { name: 'ann users[2]' }).waitFor()
      expect(await people.getByRole('rowheader', { name: 'groups', exact: true }).count()).toBe(3)
      expect(await page.locator('main').innerText()).not.toContain(stage.site.token)
      stage.site.place.write('gateway.yaml', JSON.stringify({ ...settings, limits: { wait: 'soon' } }))
      await admin.click('Refresh')
      await admin.sees('The file has errors')
      await page
        .getByText(/limits\.wait/)
        .first()
        .waitFor()
      const users = [...settings.users, { name: 'new-here', token: 'a-token-of-a-new-user-0123456789' }]
      stage.site.place.write('gateway.yaml', JSON.stringify({ ...settings, users, state: './elsewhere' }))
      await admin.click('Refresh')
      await admin.sees('The file differs from the settings that the gateway uses.')
      await admin.click('Reload…')
      const dialog = page.getByRole('dialog', { name: 'Reload the settings' })
      const access = dialog.getByRole('region', { name: 'Who may do what', exact: true })
      await access.getByRole('rowheader', { name: 'users: new-here added' }).waitFor()
      await dialog.getByText('1 change lets somebody do more than today.').waitFor()
      expect(await dialog.innerHTML()).not.toContain('a-token-of-a-new-user')
      await dialog.getByRole('region', { name: 'After a restart' }).getByText('state').waitFor()
      expect(await admin.faults()).toEqual([])
      const later = { ...settings, users, state: './elsewhere', limits: { ...settings.limits, wait: '7s' } }
      stage.site.place.write('gateway.yaml', JSON.stringify(later))
      await dialog.getByRole('button', { name: 'Reload the settings' }).click()
      await dialog.getByText('nothing was reloaded: the settings or the file have changed').waitFor()
      const others = dialog.getByRole('region', { name: 'Other settings', exact: true })
      await others.getByRole('insertion').getByText('7s').waitFor()
      await dialog.getByRole('button', { name: 'Reload the settings' }).click()
      await admin.sees('The gateway uses the new settings; restart the gateway for state')
      stage.site.place.write('gateway.yaml', before)
      await using fay = await enter('fay', '/settings')
      await fay.page.getByRole('region', { name: 'People' }).waitFor()
      expect(await fay.page.getByRole('button', { name: 'Reload…' }).count()).toBe(0)
      expect([...admin.problems, ...fay.problems]).toEqual([])
    })

    it('writes lines of a schedule that gateway.yaml can have', async () => {
      await using admin = await stage.enter('/schedules')
      await admin.sees('New schedule writes the lines for you to copy into that file')
      const { page } = admin
      await page.getByRole('link', { name: 'New schedule' }).click()
      await page.getByLabel('Name', { exact: true }).fill('weekly: "report"')
      await admin.sees('Name: ')
      await page.getByLabel('Name', { exact: true }).fill('weekly')
      await page.getByLabel('Runbook', { exact: true }).selectOption('ops/report.runbook.sh')
      await page.getByLabel('When', { exact: true }).fill('0 25 * * 1')
      await admin.sees('When: five fields of cron')
      await page.getByLabel('When', { exact: true }).fill('0 8 * * 1')
      await page.getByLabel('Time zone').fill('Asia/Tokyo')
      await page.getByLabel(/^who/).fill('# yes: "all" \\ éà')
      const lines = page.getByRole('region', { name: 'The lines for gateway.yaml' })
      await lines.getByText('Asia/Tokyo').waitFor()
      await lines.getByText('yes: ').waitFor()
      expect(await page.getByRole('list', { name: 'Next times' }).getByRole('listitem').count()).toBe(3)
      expect(await admin.faults()).toEqual([])
      const settings = stringify(parse(readFileSync(stage.site.place.at('gateway.yaml'), 'utf8')))
      const [head = '', rest = ''] = settings.split(/^schedules:\n/m)
      const file = stage.site.place.write(
        'pasted.yaml',
        `${head}schedules:\n${await lines.innerText()}\n${rest}`,
      )
      const checked = await runProgram(stage.site.place, ['config', 'check', '--gateway', file])
      expect([checked.stderr, checked.code]).toEqual(['', 0])
      const { schedules } = parse(readFileSync(file, 'utf8')) as { schedules: unknown[] }
      expect(schedules[0]).toMatchObject({ name: 'weekly', parameters: { who: '# yes: "all" \\ éà' } })
      expect(admin.problems).toEqual([])
    })

    it('runs, pauses and resumes a schedule, and marks one that fails', async () => {
      await using admin = await stage.enter('/schedules')
      const row = admin.page.getByRole('row', { name: /broken/ })
      await row.getByRole('button', { name: 'Run now' }).click()
      await row.getByText('failing').waitFor()
      await row.getByRole('link', { name: 'failed' }).waitFor()
      await row.getByRole('button', { name: 'Pause' }).click()
      await admin.sees('broken is paused')
      await row.getByText('paused').first().waitFor()
      await row.getByRole('button', { name: 'Resume' }).click()
      await row.getByRole('button', { name: 'Pause' }).waitFor()
      expect(admin.problems).toEqual([])
    })

    it('says of agents what they do and serve, to whom it may', async () => {
      await using fay = await enter('fay', '/agents')
      await fay.page.getByRole('cell', { name: /^connected since/ }).waitFor()
      await fay.page.getByRole('cell', { name: /127\.0\.0\.1/ }).waitFor()
      await fay.page.getByRole('cell', { name: /^0 of \d+$/ }).waitFor()
      await fay.page.getByRole('link', { name: 'other' }).waitFor()
      await using ann = await enter('ann', '/agents')
      await ann.page.getByRole('link', { name: 'bash' }).waitFor()
      expect(await ann.page.getByText('127.0.0.1').count()).toBe(0)
      expect(await ann.page.getByRole('heading', { name: ADMINISTRATION }).count()).toBe(0)
      expect(await fay.page.getByRole('heading', { name: ADMINISTRATION }).count()).toBe(1)
    })
  },
)
