import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { outer } from '../../support/machine/own-folders.ts'
import { without } from '../../support/machine/servers.ts'
import type { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

// `npm run pictures` leaves a picture of each view, at each width and in both themes, in PICTURES_TO.

const FOLDER = outer['PICTURES_TO']
const WIDTHS = [360, 1024, 1440] as const
const HEIGHTS = { 360: 740, 1024: 768, 1440: 900 } as const

const REFUND = `# Refund an order
# Gives the money back to the card, and sends a mail to the customer.
order={{ .order | required "which order" | description "the number of the order, like 2026-4711" }}
amount={{ .amount | type "number" | description "in euros, with a point" }}
reason={{ .reason | options "damaged" "late" "other" | default "damaged" }}
echo "order $order: refunded $amount"
`
const REPORT = `# Orders of a period
echo 'id,customer,total'; seq 40 | sed 's/.*/&,customer &,&.50/'
`

describe.skipIf(missingBrowser !== undefined)(`the look of each view${without(missingBrowser)}`, () => {
  const views = new Map<string, string>()
  const stage = new Stage(
    {
      connections: [
        { name: 'pg-shop', command: ['bash'], tags: { env: 'prod' }, review: { groups: ['support'] } },
        { name: 'web-01', command: ['bash'], tags: { env: 'prod', role: 'web' } },
        { name: 'web-02', command: ['bash'], tags: { env: 'prod', role: 'web' } },
      ],
      users: { 'sue.lindqvist': ['support'], 'ann.kowalski': ['sales'] },
      schedules: [
        {
          name: 'close-day',
          cron: '50 23 * * *',
          connection: 'bash',
          runbook: 'reports/orders.runbook.sh',
          as: 'sue.lindqvist',
        },
      ],
      runbooks: {
        'support/refund-order.runbook.sh': REFUND,
        'support/unlock-account.runbook.sh': '# Unlock an account\necho {{ .account | required "whose" }}\n',
        'reports/orders.runbook.sh': REPORT,
        'ops/restart-workers.runbook.sh': '# Restart the workers\necho "disk full" >&2; exit 7\n',
        'ops/rebuild-index.runbook.sh': '# Rebuild the search index\necho "part 1 of 12"; exec sleep 600\n',
      },
    },
    async (site) => {
      for (const [name, view] of await made(site)) views.set(name, view)
    },
  )

  /** Sessions of all kinds, as Sue finds them in the morning. */
  async function made(site: Site): Promise<[string, string][]> {
    const { body } = await site.rest.send('GET', '/api/runbooks')
    const [{ repository }] = (JSON.parse(body) as { repositories: [{ repository: string }] }).repositories
    const prefer = { prefer: 'respond-async' }
    const runs = async (who: string, connection: string, file: string, parameters = {}) => {
      const body = JSON.stringify({ repository, file_name: file, connection_name: connection, parameters })
      const { body: answer } = await site.rest.send(
        'POST',
        '/api/runbooks/exec',
        body,
        site.tokenOf(who),
        prefer,
      )
      return (JSON.parse(answer) as { session_id: string }).session_id
    }
    const sue = 'sue.lindqvist'
    const order = { order: '2026-4711', amount: '41.30' }
    const done = await runs(sue, 'bash', 'reports/orders.runbook.sh')
    const failed = await runs(sue, 'web-01', 'ops/restart-workers.runbook.sh')
    const running = await runs(sue, 'web-02', 'ops/rebuild-index.runbook.sh')
    await waitFor(async () =>
      (
        await site.rest.send('GET', `/api/sessions/${running}?expand=event_stream&event_stream=utf8`)
      ).body.includes('part 1'),
    )
    const waiting = await runs('ann.kowalski', 'pg-shop', 'support/refund-order.runbook.sh', order)
    const mine = await runs(sue, 'pg-shop', 'support/refund-order.runbook.sh', {
      ...order,
      order: '2026-4712',
    })
    const batch = JSON.stringify({
      file_name: 'ops/restart-workers.runbook.sh',
      connections: ['web-01', 'web-02'],
    })
    const reply = await site.rest.send('POST', '/api/batches', batch, site.tokenOf(sue))
    const { id } = JSON.parse(reply.body) as { id: string }
    await waitFor(async () =>
      /"status":"(done|stopped)"/.test((await site.rest.send('GET', `/api/batches/${id}`)).body),
    )
    const books = `/runbooks/${encodeURIComponent(repository)}`
    return [
      ...Object.entries({
        home: '/',
        runbooks: '/runbooks',
        runbook: `${books}/support/refund-order.runbook.sh`,
        sessions: '/sessions',
        'session-done': `/sessions/${done}`,
        'session-failed': `/sessions/${failed}`,
        'session-running': `/sessions/${running}`,
        'session-waiting': `/sessions/${mine}`,
        approvals: '/approvals',
        approval: `/approvals/${waiting}`,
        batches: '/batches',
        batch: `/batches/${id}`,
        schedules: '/schedules',
        connections: '/connections',
        agents: '/agents',
        terminal: '/connections/bash/terminal',
        'not-found': '/no/such/view',
      }),
    ]
  }

  /** At each width, in both themes. @returns where something is wider than the window */
  async function looked({ page }: Visitor, name: string): Promise<string[]> {
    const wide: string[] = []
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHTS[width] })
      const needed = await page.evaluate<number>('document.documentElement.scrollWidth')
      if (needed > width) wide.push(`${name} at ${width}: ${needed}`)
      if (FOLDER === undefined) continue
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await page.screenshot({
          path: path.join(FOLDER, `${name}-${width}-${colorScheme}.png`),
          animations: 'disabled',
        })
      }
    }
    return wide
  }

  it('fits each width, from a phone to a large screen', async () => {
    if (FOLDER !== undefined) mkdirSync(FOLDER, { recursive: true })
    await using sue = await stage.arrive()
    await sue.goTo('/sign-in')
    await sue.page.getByLabel('Token').waitFor()
    const wide = await looked(sue, 'sign-in')
    await sue.signIn(stage.site.tokenOf('sue.lindqvist'))
    for (const [name, view] of views) {
      await sue.goTo(view)
      await sue.settled()
      wide.push(...(await looked(sue, name)))
    }
    await sue.goTo('/')
    await sue.settled()
    await sue.page.keyboard.press('Control+k')
    await sue.page.getByRole('combobox', { name: 'Search everything' }).fill('refund')
    await sue.page
      .getByRole('option', { name: /refund/ })
      .first()
      .waitFor()
    wide.push(...(await looked(sue, 'search')))
    await using admin = await stage.enter('/')
    for (const name of ['audit', 'settings', 'agents', 'schedules', 'schedules/new']) {
      await admin.goTo(`/${name}`)
      await admin.settled()
      wide.push(...(await looked(admin, `admin-${name.replace('/', '-')}`)))
    }
    expect(admin.problems).toEqual([])
    await stage.site.rest.kill(views.get('session-running')?.split('/').at(-1) ?? '')
    expect(wide).toEqual([])
    expect(sue.problems).toEqual([])
    expect(sue.foreign).toEqual([])
  })
})
