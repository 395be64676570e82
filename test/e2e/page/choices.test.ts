import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Stage } from './stage.ts'

const MANY = Array.from({ length: 300 }, (_, at) => `t-${at}\tTenant ${at}\teu\n`).join('')

describe.skipIf(missingBrowser !== undefined)(`a field with a live list${without(missingBrowser)}`, () => {
  const stage = new Stage(
    {
      runbooks: {
        'ops/tenant.runbook.sh':
          '# Reset a tenant\n{{/* options-from tenant lists/tenants.runbook.sh of region */}}\n{{ .region | options "eu" "us" | description "Region" | asenv "REGION" }}{{ .tenant | required "Choose a tenant." | description "Tenant" | asenv "TENANT" }}\necho "reset $TENANT"\n',
        'ops/broken.runbook.sh':
          '# Broken\n{{/* options-from tenant lists/broken.runbook.sh */}}\n{{ .tenant | description "Tenant" | asenv "TENANT" }}\n',
        'lists/broken.runbook.sh': 'exit 3\n',
      },
    },
    (site) => void site.books.commit({ 'lists/tenants.runbook.sh': `cat '${site.place.at('tenants')}'\n` }),
  )
  const list = (text: string) => void stage.site.place.write('tenants', text)

  it('searches values and labels, follows the other field, and is refused when the list has lost the value', async () => {
    list(`acme\tAcme <b>Ltd</b>\teu\nzeta\tZeta Corp\tus\n${MANY}`)
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    await page.getByRole('link', { name: 'Reset a tenant' }).click()
    const tenant = page.getByRole('combobox', { name: 'Tenant' })
    await ada.sees('Fill in Region first')
    await page.getByLabel('Region').selectOption('us')
    await tenant.click()
    await page.getByRole('option', { name: 'Zeta Corp' }).waitFor()
    expect(await page.getByRole('option', { name: 'Acme' }).count()).toBe(0)
    await page.keyboard.press('Escape')
    await page.getByLabel('Region').selectOption('eu')
    await tenant.click()
    await ada.sees('201 more values: type a part of the value or of its name.')
    await page.keyboard.type('ltd')
    await expect
      .poll(() => page.getByRole('listbox', { name: 'Values of tenant' }).getByRole('option').allInnerTexts())
      .toEqual(['Acme <b>Ltd</b>\nacme'])
    expect(await ada.faultsInBothThemes()).toEqual([])
    await page.keyboard.press('Enter')
    expect(await tenant.inputValue()).toBe('acme')
    await ada.sees('Acme <b>Ltd</b>')
    await tenant.fill('nobody')
    await ada.sees('The list did not have this value when it was read.')
    await tenant.fill('acme')
    list('other\tOther\teu\n')
    stage.site.books.commit({ 'counter.txt': 'a new commit, whose list was not read yet' })
    await ada.click('Run')
    await ada.sees(/the value of parameter tenant is not in the list/)
    expect(ada.problems).toEqual([])
  })

  it('runs with a chosen value', async () => {
    list('acme\tAcme\teu\n')
    stage.site.books.commit({ 'counter.txt': 'one more commit' })
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    await page.getByRole('link', { name: 'Reset a tenant' }).click()
    await page.getByLabel('Region').selectOption('eu')
    await page.getByRole('combobox', { name: 'Tenant' }).click()
    await page.getByRole('option', { name: 'Acme' }).click()
    await ada.click('Run')
    await ada.reads('reset acme')
    expect(ada.problems).toEqual([])
  })

  it('says why the list cannot be read, with its session', async () => {
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    await page.getByRole('link', { name: 'Broken, ops' }).click()
    await ada.sees(/the list ended with exit code 3/)
    expect(await ada.faultsInBothThemes()).toEqual([])
    await page.getByRole('link', { name: 'Session of the list' }).click()
    await page.waitForURL(/\/sessions\//)
    await ada.sees('lists/broken.runbook.sh')
    expect(ada.problems).toEqual([])
  })
})
