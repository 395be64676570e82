import type { Locator } from 'playwright-core'
import { afterEach, describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { faultsOfKeys, faultsOfLayout } from './looks.ts'
import { Stage } from './stage.ts'

const DEPLOY = (line: string) => `# Deploy a version
VERSION={{ .version | required "which" | squote }}
KEY={{ .key | type "password" | squote }}
echo stop
${line}
echo "$VERSION: {{ .drain | default "30" }}"
: v1.1 stands here, too
`

describe.skipIf(missingBrowser !== undefined)(`a request for an approval${without(missingBrowser)}`, () => {
  const review = { groups: ['dba', 'leads'], 'force-groups': ['boss'] }
  const stage = new Stage({
    connections: [
      ...['web-01', 'web-02', 'web-03'].map((name) => ({ name, command: ['bash'], review })),
      {
        ...{ name: 'books', command: ['bash'], access: { exec: false, connect: false } },
        runbooks: {
          repository: 'books',
          review: [
            { path: 'ops/free*', groups: [] },
            { path: 'ops/**', groups: ['dba', 'leads'] },
          ],
        },
      },
      { name: 'both', command: ['bash'], review: { ...review, all: true } },
    ],
    users: { tom: ['oncall'], bea: ['dba'], max: ['dba'], ola: ['leads'], eve: ['boss'] },
    runbooks: { 'ops/deploy.runbook.sh': DEPLOY('echo start') },
  })

  const send: Stage['send'] = (...asked) => stage.send(...asked)

  async function deploy(version: string, on = 'web-01'): Promise<string> {
    const asked = await send('tom', 'POST', `/api/plugins/runbooks/connections/${on}/exec`, {
      ...{ file_name: 'ops/deploy.runbook.sh', parameters: { version, drain: '30', key: 'hunter-42' } },
    })
    return String(asked['session_id'])
  }

  async function ran(version: string): Promise<void> {
    const id = await deploy(version)
    await send('max', 'PUT', `/api/reviews/${id}`, { status: 'APPROVED' })
    await send('tom', 'POST', `/api/sessions/${id}/exec`)
  }

  const script = async (line: string, on = 'web-01') =>
    String((await send('tom', 'POST', '/api/sessions', { connection: on, script: line }))['session_id'])

  afterEach(async () => {
    const all = (await send('eve', 'GET', '/api/reviews')) as unknown as { id: string; status: string }[]
    for (const { id, status } of all)
      if (status === 'PENDING') await send('eve', 'PUT', `/api/reviews/${id}`, { status: 'REJECTED' })
  })

  it('first shows what differs from the last approved run, its values, and how runs went before', async () => {
    await ran('v1.1')
    stage.site.books.commit({ 'ops/deploy.runbook.sh': DEPLOY('echo clean\necho start') })
    const id = await deploy('v1.2')
    await using bea = await stage.arrive({ viewport: { width: 1440, height: 900 } })
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${id}`)
    await page.getByRole('heading', { level: 1, name: 'Deploy a version v1.2 30 on web-01' }).waitFor()
    const first = page.getByRole('main').getByRole('region').first()
    expect(await first.innerText()).toMatch(
      /^2 lines and 1 value differ\s+from the last approved run, .* by tom\s+succeeded/,
    )
    expect(await first.innerText()).toMatch(/Added\s+1\s+Changed\s+1\s+Removed\s+none/)
    const values = page.getByLabel('Values')
    expect(await values.locator('del, ins').allInnerTexts()).toEqual(['v1.1', 'v1.2'])
    expect(await values.innerText()).toMatch(/drain\s+30\s+as before[^]*key\s+secret, not recorded|key/)
    const history = page.getByRole('region', { name: 'How other runs went' })
    expect(await history.innerText()).toMatch(
      /This runbook\s+1 of 1 succeeded, usually .* s\s+Run by tom\s+1 of 1 succeeded/,
    )
    const decision = page.getByRole('region', { name: 'Your decision' })
    const said = await decision.innerText()
    expect(said).toContain('1 of dba, leads.\nYou decide for dba: tom can then run it on web-01.')
    expect(said).toMatch(/dba\s+you, max\s+leads\s+ola\s+boss\s+eve, alone and by force/)
    expect(said).toContain('runbook changed since the approved run')
    expect([...(await bea.faultsInBothThemes()), ...(await faultsOfLayout(page))]).toEqual([])
    await bea.click('Script')
    await bea.sees(
      'Exactly this script runs, once. Secrets in it are replaced here. Values of the form are marked.',
    )
    const marks = page.getByLabel('Script', { exact: true }).locator('mark')
    // The comment has the same text as a value, and is none.
    expect(await marks.allInnerTexts()).toEqual(["'v1.2'", "'[REDACTED]'", '30'])
    expect(await marks.first().getAttribute('title')).toBe('version')
    expect(await page.locator('body').innerHTML()).not.toContain('hunter-42')
    expect([...(await bea.faultsInBothThemes()), ...(await faultsOfLayout(page))]).toEqual([])
    expect(bea.problems).toEqual([])
  })

  it('says after the decision what happened, and leads to the next request, by keys alone', async () => {
    const [one, two, three] = [await script('echo 1'), await script('echo 2', 'both'), await script('echo 3')]
    await using bea = await stage.arrive()
    const { page } = bea
    const opened = async (text: string) => page.getByRole('heading', { level: 1, name: text }).waitFor()
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${one}`)
    await opened('echo 1 on web-01')
    await page.getByRole('link', { name: 'Next request 2 wait' }).waitFor()
    await page.keyboard.press('a')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('You decide for dba: tom can then run it on web-01.').waitFor()
    await dialog.getByRole('button', { name: 'Back' }).click()
    expect(await send('bea', 'GET', `/api/reviews/${one}`)).toMatchObject({ status: 'PENDING' })
    await page.keyboard.press('a')
    await dialog.waitFor()
    await page.keyboard.press('Enter')
    const told = page.getByRole('status').filter({ hasText: 'You approved echo 1. tom can use it now.' })
    await told.getByRole('link', { name: 'Open the session' }).waitFor()
    expect(await bea.faultsInBothThemes()).toEqual([])
    await told.getByRole('link', { name: /^Next request/ }).press('Enter')
    await opened('echo 2 on both')
    await page.getByLabel('Comment').press('r')
    expect(await dialog.count()).toBe(0)
    await bea.click('Approve')
    await bea.sees('You approved echo 2. It still waits for leads.')
    await page
      .getByRole('list', { name: 'Who can decide' })
      .getByText(/approved by bea, just now/)
      .waitFor()
    await page.getByRole('heading', { level: 1 }).click()
    await page.keyboard.press('j')
    await opened('echo 3 on web-01')
    await page.keyboard.press('r')
    await page.getByLabel('Reason').fill('not today')
    await page.getByRole('button', { name: 'Reject with this reason' }).press('Enter')
    await bea.sees('You rejected echo 3.')
    expect(await page.getByRole('link', { name: /^Next request/ }).count()).toBe(0)
    for (const id of [two, three]) expect(await send('tom', 'GET', `/api/reviews/${id}`)).toBeDefined()
    expect(bea.problems).toEqual([])
  })

  it('is decided by no Enter in a text field, and its questions have the comment that was begun', async () => {
    const id = await script('echo careful')
    const now = async () => (await send('bea', 'GET', `/api/reviews/${id}`))['status']
    await using bea = await stage.arrive()
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${id}`)
    const dialog = page.getByRole('dialog')
    await page.getByLabel('Comment').fill('no ticket')
    await page.getByLabel('Comment').press('Enter')
    await page.getByRole('heading', { level: 1 }).click()
    await page.keyboard.press('a')
    await dialog.getByText('Your comment: “no ticket”').waitFor()
    await dialog.getByRole('button', { name: 'Back' }).click()
    await bea.click('Reject')
    const reason = dialog.getByLabel('Reason')
    expect(await reason.inputValue()).toBe('no ticket')
    await reason.press('Enter')
    await dialog.getByRole('button', { name: 'Reject with this reason' }).click({ trial: true })
    expect(await now()).toBe('PENDING')
    await dialog.getByRole('button', { name: 'Reject with this reason' }).press('Enter')
    await bea.sees('You rejected echo careful.')
    expect(await now()).toBe('REJECTED')
    expect(bea.problems).toEqual([])
  })

  it('leads from a decided request to the one after it, and not back to one that was passed', async () => {
    const [, two] = [await script('echo 1'), await script('echo 2'), await script('echo 3')]
    await using bea = await stage.arrive()
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${two}`)
    await page.getByRole('link', { name: 'Next request 2 wait' }).waitFor()
    await page.keyboard.press('r')
    await page.getByLabel('Reason').fill('not today')
    await page.getByRole('button', { name: 'Reject with this reason' }).press('Enter')
    await bea.sees('You rejected echo 2.')
    await page.getByRole('link', { name: /^Next request/ }).press('Enter')
    await page.getByRole('heading', { level: 1, name: 'echo 3 on web-01' }).waitFor()
  })

  it('takes no word for a key when somebody else decides while the reason is typed', async () => {
    const [one, next] = [await script('echo one'), await script('echo next')]
    const approve = (id: string) => send('max', 'PUT', `/api/reviews/${id}`, { status: 'APPROVED' })
    await using bea = await stage.arrive()
    const { page } = bea
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${one}`)
    await page.getByRole('button', { name: 'Reject' }).waitFor()
    await page.keyboard.press('r')
    const reason = page.getByLabel('Reason')
    await reason.pressSequentially('it is ')
    await approve(one)
    await page.getByText('Somebody else has decided meanwhile.').waitFor()
    await page.keyboard.type('just wrong')
    expect(await reason.inputValue()).toBe('it is just wrong')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await bea.goTo(`/approvals/${next}`)
    const comment = page.getByLabel('Comment')
    await comment.pressSequentially('a')
    const third = await script('echo third')
    await page.getByRole('link', { name: 'Next request' }).first().waitFor()
    await approve(next)
    await comment.waitFor({ state: 'detached' })
    await page.keyboard.type('just run')
    await page.keyboard.press('Enter')
    expect(new URL(page.url()).pathname).toBe(`/approvals/${next}`)
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect((await send('bea', 'GET', `/api/reviews/${third}`))['status']).toBe('PENDING')
    // A key after a press elsewhere is one again.
    await page.getByRole('heading', { level: 1 }).click()
    await page.keyboard.press('j')
    await page.getByRole('heading', { level: 1, name: 'echo third' }).waitFor()
    expect(bea.problems).toEqual([])
  })

  it('keeps the decision in a bar that stays, on a phone', async () => {
    const asked = await send('tom', 'POST', '/api/batches', {
      ...{ file_name: 'ops/deploy.runbook.sh', connections: ['web-01', 'web-02', 'web-03'] },
      ...{ parameters: { version: 'v1.3', drain: '30', key: 'k' }, waves: [1, '100%'], when_approved: true },
    })
    const { id } = asked['review'] as { id: string }
    for (const width of [360, 390]) {
      await using bea = await stage.arrive({ viewport: { width, height: 740 } })
      const { page } = bea
      await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${id}`)
      const bar = page.getByRole('group', { name: 'Decision' })
      await bar.getByText('3 connections').waitFor()
      const connections = page.getByRole('region', { name: 'Connections' })
      expect(await connections.innerText()).toMatch(/1 first\s+web-01\s+then 2 at once\s+web-02\s+web-03/)
      const low = async () => (await bar.boundingBox())?.y ?? 0
      expect(await low()).toBeGreaterThan(600)
      await page.mouse.wheel(0, 300)
      expect(await low()).toBeGreaterThan(600)
      const faults = [...(await bea.faults()), ...(await faultsOfLayout(page)), ...(await faultsOfKeys(page))]
      expect([width, ...faults]).toEqual([width])
      await bar.getByRole('button', { name: 'Decide' }).click()
      await page.getByRole('button', { name: 'Approve 3 runs' }).click({ trial: true })
      expect(await page.evaluate('document.activeElement.id')).toBe('decision')
      expect(await isInView(page.getByRole('button', { name: 'Approve 3 runs' }))).toBe(true)
      expect(bea.problems).toEqual([])
    }
  })

  it('shows on a phone after the decision where to go on, and asks no requester to decide', async () => {
    const [one] = [await script('echo 1'), await script('echo 2')]
    const viewport = { width: 390, height: 740 }
    await using tom = await stage.arrive({ viewport })
    await tom.signIn(stage.site.tokenOf('tom'), `/approvals/${one}`)
    await tom.page.getByRole('list', { name: 'Who can decide' }).waitFor()
    expect(await tom.page.getByRole('group', { name: 'Decision' }).count()).toBe(0)
    await using bea = await stage.arrive({ viewport })
    await bea.signIn(stage.site.tokenOf('bea'), `/approvals/${one}`)
    await bea.click('Decide')
    await bea.click('Approve')
    const next = bea.page.getByRole('status').getByRole('link', { name: /^Next request/ })
    await next.waitFor()
    await expect.poll(() => isInView(next)).toBe(true)
    expect([...(await faultsOfLayout(bea.page)), ...bea.problems]).toEqual([])
  })

  it('tells the approver of a run that its output is not for them, and asks for nothing that is refused', async () => {
    const id = await script('echo not-for-bea')
    await send('max', 'PUT', `/api/reviews/${id}`, { status: 'APPROVED' })
    await send('tom', 'POST', `/api/sessions/${id}/exec`)
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), `/sessions/${id}`)
    await bea.sees('The output is for tom, for admins and auditors')
    await bea.page.getByLabel('Script').getByText('echo not-for-bea').first().waitFor()
    expect(await bea.page.getByRole('alert').count()).toBe(0)
    expect(await bea.page.getByRole('tablist').count()).toBe(0)
    expect([...(await bea.faultsInBothThemes()), ...bea.problems]).toEqual([])
  })

  it('is told before in the form: whom it asks, by the words of the other views', async () => {
    await using tom = await stage.arrive()
    await tom.signIn(stage.site.tokenOf('tom'), '/runbooks/books/ops/deploy.runbook.sh')
    await tom.page.getByLabel('Connection', { exact: true }).selectOption('both')
    const note = tom.page.locator('.note').filter({ hasText: 'Needs approval by dba and leads' })
    expect(await note.innerText()).toMatch(/dba: bea, max\s+leads: ola\s+boss: eve, alone and by force/)
    expect(tom.problems).toEqual([])
  })

  it('tells the requester whom to ask', async () => {
    const id = await script('echo mine', 'both')
    await using tom = await stage.arrive()
    await tom.signIn(stage.site.tokenOf('tom'), `/approvals/${id}`)
    await tom.sees('dba and leads.')
    const who = tom.page.getByRole('list', { name: 'Who can decide' })
    expect(await who.innerText()).toMatch(/dba\s+bea, max\s+leads\s+ola/)
    expect(await tom.page.getByText('You decide for').count()).toBe(0)
    await tom.page.keyboard.press('a')
    expect(await tom.page.getByRole('dialog').count()).toBe(0)
    expect([...(await tom.faults()), ...tom.problems]).toEqual([])
  })

  it('tells in the list of connections which runbooks need an approval by their path', async () => {
    await using tom = await stage.arrive()
    await tom.signIn(stage.site.tokenOf('tom'), '/connections')
    const row = tom.page.getByRole('row').filter({ hasText: 'books' })
    await row.getByText('ops/**: approval by 1 of dba, leads').waitFor()
    expect(await row.getByText('ops/free*: no approval').count()).toBe(1)
    expect([...(await tom.faults()), ...(await faultsOfLayout(tom.page)), ...tom.problems]).toEqual([])
  })
})

/** Whether the whole element is in the window. */
function isInView(element: Locator): Promise<boolean> {
  return element.evaluate((one) => {
    const { top, bottom } = one.getBoundingClientRect()
    const at = document.elementFromPoint(one.getBoundingClientRect().left + 4, (top + bottom) / 2)
    return top >= 0 && bottom <= innerHeight && (at === one || one.contains(at))
  })
}
