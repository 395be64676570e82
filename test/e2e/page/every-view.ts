import type { Page } from 'playwright-core'
import type { Site, SiteOptions } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

// A shop with something to look at in each view, and the addresses of all views.

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

export const SHOP: SiteOptions = {
  connections: [
    { name: 'pg-shop', command: ['bash'], tags: { env: 'prod' }, review: { groups: ['support'] } },
    { name: 'web-01', command: ['bash'], tags: { env: 'prod', role: 'web' } },
    { name: 'web-02', command: ['bash'], tags: { env: 'prod', role: 'web' } },
    { name: 'warehouse-archive-replica-in-frankfurt', command: ['bash'], access: { groups: ['sales'] } },
  ],
  users: { 'sue.lindqvist': ['support'], 'ann.kowalski': ['sales'], 'audrey.auditor': ['auditor'] },
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
}

export const SUE = 'sue.lindqvist'

export interface View {
  readonly name: string
  readonly path: string
  /** A user of the shop. Undefined: the admin. */
  readonly who?: string
  /** Opens what the address alone does not show. */
  readonly open?: (page: Page) => Promise<void>
}

/** Sessions, users and tokens of all kinds, as Sue finds them in the morning. */
export async function viewsOf(site: Site): Promise<readonly View[]> {
  const { rest } = site
  const { body } = await rest.send('GET', '/api/runbooks')
  const [{ repository }] = (JSON.parse(body) as { repositories: [{ repository: string }] }).repositories
  const prefer = { prefer: 'respond-async' }
  const begins = async (path: string, who: string, asked: object) => {
    const answer = await rest.send('POST', path, JSON.stringify(asked), site.tokenOf(who), prefer)
    return (JSON.parse(answer.body) as { session_id: string }).session_id
  }
  const runs = (who: string, connection: string, file: string, parameters = {}) =>
    begins('/api/runbooks/exec', who, {
      ...{ repository, file_name: file, connection_name: connection, parameters },
    })
  const hasEnded = (id: string) =>
    waitFor(async () => (await rest.send('GET', `/api/sessions/${id}`)).body.includes('"status":"done"'))
  const order = { order: '2026-4711', amount: '41.30' }
  const done = await runs(SUE, 'bash', 'reports/orders.runbook.sh')
  const again = await runs(SUE, 'bash', 'reports/orders.runbook.sh')
  const failed = await runs(SUE, 'web-01', 'ops/restart-workers.runbook.sh')
  const running = await runs(SUE, 'web-02', 'ops/rebuild-index.runbook.sh')
  await waitFor(async () =>
    (await rest.send('GET', `/api/sessions/${running}?expand=event_stream&event_stream=utf8`)).body.includes(
      'part 1',
    ),
  )
  const waiting = await runs('ann.kowalski', 'pg-shop', 'support/refund-order.runbook.sh', order)
  const mine = await runs(SUE, 'pg-shop', 'support/refund-order.runbook.sh', { ...order, order: '2026-4712' })
  for (const id of [done, again, failed]) await hasEnded(id)
  const batch = await batchOf(site)
  await peopleOf(site, 'mia.moreau@shop.example', ['support', 'sales'])
  const books = `/runbooks/${encodeURIComponent(repository)}`
  const click = (name: string | RegExp) => async (page: Page) => {
    await page.getByRole('button', { name }).first().click()
    await page.getByRole('dialog').waitFor()
  }
  return [
    { name: 'home', path: '/', who: SUE },
    { name: 'runbooks', path: '/runbooks', who: SUE },
    { name: 'runbooks-none', path: '/runbooks?search=nothing+has+this', who: SUE },
    { name: 'runbook', path: `${books}/support/refund-order.runbook.sh`, who: SUE },
    { name: 'script', path: '/run?connection=bash', who: SUE },
    { name: 'script-result', path: `/run?connection=bash&session=${done}&tab=table`, who: SUE },
    { name: 'script-runbook', path: '/run?connection=bash', who: SUE, open: savedAsRunbook },
    { name: 'sessions', path: '/sessions', who: SUE },
    { name: 'sessions-none', path: '/sessions?runbook=nothing+has+this', who: SUE },
    { name: 'session-done', path: `/sessions/${done}`, who: SUE },
    { name: 'session-table', path: `/sessions/${done}?tab=table`, who: SUE },
    { name: 'session-chart', path: `/sessions/${done}?tab=chart`, who: SUE },
    { name: 'session-script', path: `/sessions/${done}?tab=script`, who: SUE },
    { name: 'session-diff', path: `/sessions/${done}/diff/${failed}`, who: SUE },
    { name: 'session-failed', path: `/sessions/${failed}`, who: SUE },
    { name: 'session-running', path: `/sessions/${running}`, who: SUE },
    { name: 'session-stop', path: `/sessions/${running}`, who: SUE, open: click('Stop') },
    { name: 'session-waiting', path: `/sessions/${mine}`, who: SUE },
    { name: 'approvals', path: '/approvals', who: SUE },
    { name: 'approval', path: `/approvals/${waiting}`, who: SUE },
    { name: 'approval-own', path: `/approvals/${mine}`, who: SUE },
    { name: 'approval-reject', path: `/approvals/${waiting}`, who: SUE, open: click('Reject') },
    { name: 'batches', path: '/batches', who: SUE },
    { name: 'batch', path: `/batches/${batch}`, who: SUE },
    { name: 'schedules', path: '/schedules', who: SUE },
    { name: 'connections', path: '/connections', who: SUE },
    { name: 'terminal', path: '/connections/bash/terminal', who: SUE },
    { name: 'agents', path: '/agents', who: SUE },
    { name: 'tokens', path: '/tokens', who: SUE },
    { name: 'not-found', path: '/no/such/view', who: SUE },
    { name: 'search', path: '/', who: SUE, open: searched },
    { name: 'admin-schedules', path: '/schedules' },
    { name: 'admin-schedules-new', path: '/schedules/new' },
    { name: 'admin-agents', path: '/agents' },
    { name: 'admin-users', path: '/users' },
    { name: 'admin-user-new', path: '/users?new=user' },
    { name: 'admin-user', path: '/users/mia.moreau%40shop.example' },
    { name: 'admin-machine', path: '/users/deploy-bot' },
    { name: 'admin-access', path: '/access' },
    { name: 'admin-tokens', path: '/tokens?of=all&ended=1&sign-ins=1' },
    { name: 'admin-token-new', path: '/tokens?new=token' },
    { name: 'admin-token-revoke', path: '/users/deploy-bot', open: click('Revoke') },
    { name: 'admin-token-rotate', path: '/users/deploy-bot', open: click('Rotate') },
    { name: 'admin-budgets', path: '/machines' },
    { name: 'admin-budget', path: '/machines', open: click('Change budget') },
    { name: 'admin-audit', path: '/audit' },
    { name: 'admin-audit-entry', path: '/audit?action=execute', open: click(/entry \d+/) },
    { name: 'admin-settings', path: '/settings' },
    { name: 'admin-settings-reload', path: '/settings', open: click('Reload…') },
  ]
}

async function searched(page: Page): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search everything' }).fill('refund')
  await page
    .getByRole('option', { name: /refund/ })
    .first()
    .waitFor()
}

async function savedAsRunbook(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Text of the script' }).fill("ls -w 30 'old logs'")
  await page.getByRole('button', { name: 'Save as a runbook…' }).click()
  await page.getByRole('checkbox', { name: '30' }).check()
}

async function batchOf(site: Site): Promise<string> {
  const asked = { file_name: 'ops/restart-workers.runbook.sh', connections: ['web-01', 'web-02'] }
  const reply = await site.rest.send('POST', '/api/batches', JSON.stringify(asked), site.tokenOf(SUE))
  const { id } = JSON.parse(reply.body) as { id: string }
  await waitFor(async () =>
    /"status":"(done|stopped)"/.test((await site.rest.send('GET', `/api/batches/${id}`)).body),
  )
  return id
}

/** Makes a person, two machines and their tokens. */
export async function peopleOf({ rest }: Site, user: string, groups: readonly string[]): Promise<void> {
  async function send(url: string, body: object): Promise<void> {
    const { status } = await rest.send('POST', url, JSON.stringify(body))
    if (status !== 201) throw new Error(`POST ${url}: ${status}`)
  }
  await send('/api/users', { email: user, groups })
  await send('/api/users', {
    ...{ email: 'deploy-bot', kind: 'machine', groups: ['support'] },
    budget: { runs: 100, bytes: 2 ** 30, hours: 5, per: 86_400 },
  })
  await send('/api/users', { email: 'nightly-report', kind: 'machine' })
  await send('/api/tokens', { user, name: 'laptop', expires_in: 5 * 86_400 })
  await send('/api/tokens', { user, name: 'old-ci' })
  await send('/api/tokens', { user: 'deploy-bot', name: 'pipeline', expires_in: 90 * 86_400 })
}
