import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Stage } from './stage.ts'

const GREET = `{{ .name | required "Say whom to greet." | description "whom to greet" | pattern "^[a-z ]+$" | asenv "NAME" }}
{{ .password | type "password" | asenv "PASSWORD" }}
{{ .size | default "small" | options "small" "large" | asenv "SIZE" }}
{{ .rows | default "3" | type "number" | asenv "ROWS" }}
echo "hello, $NAME"
printf 'three \\033[32mgood\\033[0m ones and a \\033[1;31mbad\\033[0m one\\n'
echo 'and a warning' >&2
exit 3
`
const WAIT = 'echo begun; exec sleep 600'

describe.skipIf(missingBrowser !== undefined)(`the page of a run${without(missingBrowser)}`, () => {
  const stage = new Stage({}, (site) => {
    site.books.commit({ 'ops/greet.runbook.sh': GREET, 'ops/wait.runbook.sh': WAIT })
  })

  it('goes from signing in to the exit code: search, fill, preview, run, output', async () => {
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    await ada.moment()
    await page.getByRole('searchbox', { name: 'Search runbooks' }).fill('gre')
    await ada.moment()
    expect(await page.getByRole('link', { name: 'wait.runbook.sh' }).count()).toBe(0)
    await page.getByRole('link', { name: 'greet.runbook.sh' }).click()
    await page.getByLabel('whom to greet', { exact: true }).fill('Reader!')
    await page.getByLabel('password', { exact: true }).fill('hunter2hunter2')
    await page.getByLabel('size', { exact: true }).selectOption('large')
    await ada.sees('has to match ^[a-z ]+$')
    await ada.moment()
    await ada.click('Run')
    expect(page.url()).toContain('/runbooks/')
    await page.getByLabel('whom to greet', { exact: true }).fill('reader')
    await ada.sees('echo "hello, $NAME"')
    expect(await page.content()).not.toContain('hunter2')
    await ada.picture('form')
    await ada.moment()
    await ada.click('Run')
    await ada.reads('hello, reader')
    expect(await page.locator('.is-stderr').allInnerTexts()).toEqual(['and a warning'])
    await ada.sees('exit code 3')
    await ada.sees('the command reports a failure with a code of its own')
    await ada.picture('run')
    await ada.moment()
    ada.cast('cast')
    expect(ada.problems).toEqual([])
    expect(ada.foreign).toEqual([])
  })

  it('shows output while it comes, and stops it', async () => {
    await using ada = await stage.enter('/runbooks?search=wait')
    await ada.page.getByRole('link', { name: 'wait.runbook.sh' }).click()
    await ada.click('Run')
    await ada.reads('begun')
    expect(await ada.page.getByText(/exit code/).count()).toBe(0)
    await ada.click('Stop')
    await ada.click('Let it run')
    await ada.page.getByRole('dialog').waitFor({ state: 'hidden' })
    await ada.click('Stop')
    expect(await ada.faults()).toEqual([])
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
    await ada.page.getByRole('heading', { name: 'stopped by admin' }).waitFor()
    await expect.poll(() => ada.page.evaluate('document.activeElement.id')).toBe('main')
    await ada.page.getByRole('status').getByText('Stopped by admin').waitFor()
    await ada.reads('session killed by the user')
    expect(await ada.output()).not.toContain('rpc error')
    expect(ada.problems).toEqual([])
  })

  it('follows the newest line until somebody scrolls up, and again when he says so', async () => {
    const prefer = { prefer: 'respond-async' }
    const body = JSON.stringify({ connection: 'bash', script: 'seq 30000; exec sleep 600' })
    const reply = await stage.site.rest.send('POST', '/api/sessions', body, undefined, prefer)
    const { session_id: id } = JSON.parse(reply.body) as { session_id: string }
    await using ada = await stage.enter(`/sessions/${id}`)
    const log = ada.page.getByRole('log', { name: 'Output' })
    await log.getByText('30000', { exact: true }).waitFor()
    await ada.page.getByRole('button', { name: 'Follow', pressed: true }).waitFor()
    await log.press('Home')
    await log.getByText('1', { exact: true }).waitFor()
    await ada.page.getByRole('button', { name: 'Follow', pressed: false }).click()
    await log.getByText('30000', { exact: true }).waitFor()
    await ada.click('Stop')
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
    await ada.sees('Stopped by admin')
  })

  it('runs it again with the same parameters, but for the secret ones', async () => {
    await using ada = await stage.arrive()
    const { page } = ada
    const parameters = { name: 'again', password: 'hunter2', size: 'large', rows: '7' }
    const { body } = await stage.site.rest.runbook('bash', 'ops/greet.runbook.sh', { parameters })
    await ada.signIn(stage.site.token, `/sessions/${body.session_id}`)
    await page.getByRole('link', { name: 'Run again' }).click()
    expect(await page.getByLabel('whom to greet', { exact: true }).inputValue()).toBe('again')
    expect(await page.getByLabel('rows', { exact: true }).inputValue()).toBe('7')
    expect(await page.getByLabel('size', { exact: true }).inputValue()).toBe('large')
    expect(await page.getByLabel('password', { exact: true }).inputValue()).toBe('')
  })

  it('compares two runs: their parameters and their output', async () => {
    await using ada = await stage.arrive()
    const run = async (name: string) =>
      (await stage.site.rest.runbook('bash', 'ops/greet.runbook.sh', { parameters: { name, password: '' } }))
        .body.session_id
    await ada.signIn(stage.site.token, `/sessions/${await run('one')}/diff/${await run('two')}`)
    await ada.sees('-hello, one')
    await ada.sees('+hello, two')
    expect(await ada.page.getByRole('row', { name: /^name/ }).innerText()).toMatch(/one\s+two/)
  })
})
