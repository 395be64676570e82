import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Stage } from './stage.ts'

const DELETE = 'ops/delete.runbook.sh'
const DRY = 'ops/delete.dry.runbook.sh'

describe.skipIf(missingBrowser !== undefined)(`the page runs a pair${without(missingBrowser)}`, () => {
  const stage = new Stage({
    runbooks: {
      [DELETE]: `# Delete an account\n{{/* first: ${DRY} */}}\n{{ .id | required "which one?" | asenv "ID" }}\n{{ .pin | default "0" | type "password" | asenv "PIN" }}\necho "deleted $ID"`,
      [DRY]: `# Show an account\n{{ .id | asenv "ID" }}\n{{ .pin | default "0" | type "password" | asenv "PIN" }}\necho "would delete $ID"; printf '\\033[31mred\\033[0m\\n' >&2; test "$ID" != bad`,
      'ops/other.runbook.sh': '# Something else\necho other',
    },
    users: { cid: ['dev'], dot: ['dba'] },
    connections: [
      { name: 'shop', command: ['bash'] },
      {
        name: 'asked',
        command: ['bash'],
        review: { groups: ['dba'] },
        runbooks: { repository: 'books', review: [{ path: 'ops/*.dry.*', groups: [] }] },
      },
    ],
  })

  const form = `/runbooks/books/${DELETE}`

  it('from the form: the dry run first, then Continue, then the runbook with the same values', async () => {
    await using ada = await stage.enter(`${form}?connection=shop&p.id=7`)
    const { page } = ada
    await ada.sees('The dry run comes first.')
    await page.getByRole('region', { name: 'Script that would run' }).getByText('would delete').waitFor()
    expect(await page.getByText('Several connections').count()).toBe(0)
    await ada.click('Run the dry run first')
    await ada.reads('would delete 7')
    await ada.sees('This was only the dry run.')
    expect(await ada.faults()).toEqual([])
    await page.getByRole('link', { name: 'Continue', exact: true }).click()
    await ada.sees(/The dry run succeeded/)
    const run = page.getByRole('button', { name: 'Run', exact: true })
    await run.waitFor()
    await page.getByRole('region', { name: 'Script that would run' }).getByText('deleted').waitFor()
    expect(await ada.faults()).toEqual([])
    const field = page.getByLabel('id', { exact: true })
    await field.fill('8')
    await ada.sees('The dry run does not count for this request.')
    await page.getByRole('button', { name: 'Run the dry run again' }).waitFor()
    await field.fill('7')
    await run.click()
    await ada.reads('deleted 7')
    await page.getByRole('link', { name: 'its dry run' }).click()
    await ada.reads('would delete 7')
    await page.getByRole('link', { name: 'was requested with it' }).waitFor()
    await page.getByRole('link', { name: 'Run again' }).click()
    await page.getByRole('button', { name: 'Run the dry run first' }).waitFor()
    expect(ada.problems).toEqual([])
  })

  it('again if the gateway does not accept the dry run, such as after another secret value', async () => {
    await using ada = await stage.enter(`${form}?connection=shop&p.id=7`)
    const { page } = ada
    const pin = page.getByLabel('pin', { exact: true })
    await pin.fill('1234')
    await ada.click('Run the dry run first')
    await ada.reads('would delete 7')
    await page.getByRole('link', { name: 'Continue', exact: true }).click()
    await pin.fill('4321')
    await ada.click('Run')
    await ada.sees(/does not count for this request: a parameter/)
    await ada.click('Run the dry run again')
    await ada.reads('would delete 7')
    await ada.sees('This was only the dry run.')
    expect(ada.problems).toEqual([])
  })

  it('after a failed dry run only if the person says so', async () => {
    await using ada = await stage.enter(`${form}?connection=shop&p.id=bad`)
    const { page } = ada
    await ada.click('Run the dry run first')
    await ada.sees('The dry run did not succeed.')
    await page.getByRole('link', { name: 'Continue in spite of it' }).click()
    const run = page.getByRole('button', { name: 'Run', exact: true })
    expect(await run.isDisabled()).toBe(true)
    await page.getByLabel('Go on in spite of it').check()
    expect(await ada.faults()).toEqual([])
    await run.click()
    await ada.reads('deleted bad')
    expect(ada.problems).toEqual([])
  })

  it('and shows an approver the dry run beside the request, and nobody its Continue but its user', async () => {
    const asked = {
      repository: 'books',
      connection_name: 'asked',
      file_name: DELETE,
      parameters: { id: '7' },
    }
    const { session_id: first } = await stage.send('cid', 'POST', '/api/runbooks/exec', {
      ...asked,
      first: 'run',
    })
    await using dot = await stage.arrive()
    await dot.signIn(stage.site.tokenOf('dot'))
    const { session_id: second } = await stage.send('cid', 'POST', '/api/runbooks/exec', { ...asked, first })
    await dot.goTo(`/approvals/${String(second)}`)
    const card = dot.page.getByRole('region', { name: "The author's dry run" })
    await card.getByText('would delete 7').waitFor()
    await card.getByText('succeeded').waitFor()
    await card.getByText('what runs now may do something else').waitFor()
    expect(await dot.faultsInBothThemes()).toEqual([])
    await card.getByRole('link', { name: 'Open the session of the dry run' }).click()
    await dot.reads('would delete 7')
    await dot.page.getByRole('link', { name: 'was requested with it' }).waitFor()
    expect(dot.problems).toEqual([])
    const { session_id: alone } = await stage.send('cid', 'POST', '/api/runbooks/exec', {
      ...asked,
      first: 'run',
    })
    await using ada = await stage.enter(`/sessions/${String(alone)}`)
    await ada.sees('has not been requested.')
    expect(await ada.page.getByRole('link', { name: 'Continue' }).count()).toBe(0)
  })
})
