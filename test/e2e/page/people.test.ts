import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Locator } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { OidcServer } from '../../support/scripted/oidc-provider.ts'
import type { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'
import { peopleOf } from './every-view.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

// Users, tokens and budgets, as those who administer a gateway and those who do not see them.

const CLOCK = fileURLToPath(new URL('../../faults/shifted-clock.mjs', import.meta.url))
const MINUTE = 60_000

describe.skipIf(missingBrowser !== undefined)(
  `the page for users and tokens${without(missingBrowser)}`,
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'clock-'))
    const clock = path.join(folder, 'shift')
    let shift = 0
    let provider: OidcServer | undefined
    const stage = new Stage(
      {
        connections: [{ name: 'pg-shop', command: ['bash'], access: { groups: ['dba', 'support'] } }],
        users: { sue: ['support'], 'audrey.auditor': ['auditor'] },
        env: { NODE_OPTIONS: `--import=${CLOCK}`, FAULTS_CLOCK: clock },
      },
      async (site) => {
        provider = await OidcServer.start()
        await withAccounts(site, provider)
        await peopleOf(site, 'ann.kowalski@shop.example', ['support', 'dba'])
      },
    )
    afterAll(async () => {
      await provider?.[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    })

    /** People sign in with an account, too; members of `boss` there are admins here. */
    async function withAccounts({ place, rest }: Site, accounts: OidcServer): Promise<void> {
      const file = place.at('gateway.yaml')
      const more = accounts.settings('everybody: true, groups: { boss: admin }')
      // JSON is YAML, and one line more is a setting more.
      writeFileSync(file, readFileSync(file, 'utf8').replace(/\}\s*$/, `, ${more} }`))
      expect((await rest.send('POST', '/api/reload')).status).toBe(200)
    }

    /** The gateway's clock goes ahead, and never back. */
    async function minutesPass(minutes: number): Promise<void> {
      shift += minutes * MINUTE
      writeFileSync(clock, String(shift))
      const until = Date.now() + shift - MINUTE
      await waitFor(async () => {
        const { body } = await stage.site.rest.send('GET', '/api/tokens?user=admin')
        const uses = (JSON.parse(body) as { last_used_at: string }[]).map(({ last_used_at: at }) =>
          Date.parse(at),
        )
        return uses.some((at) => at > until)
      })
    }

    const row = ({ page }: Visitor, name: string): Locator =>
      page.getByRole('row').filter({ hasText: name }).first()
    const dialog = ({ page }: Visitor, name: string | RegExp): Locator => page.getByRole('dialog', { name })

    async function tokensOf(user: string): Promise<{ name: string; status: string; created_by: string }[]> {
      const { body } = await stage.site.rest.send('GET', `/api/tokens?user=${user}`)
      return JSON.parse(body) as { name: string; status: string; created_by: string }[]
    }

    it('lets an admin add a user and a token, whose text is shown once and signs in', async () => {
      await using admin = await stage.enter('/users')
      const { page } = admin
      await page.getByRole('button', { name: 'New user' }).click()
      const form = dialog(admin, 'New user')
      await form.getByLabel('Name').fill('sam.okafor')
      await form.getByLabel('Role').selectOption('auditor')
      await form.getByRole('group', { name: 'Known groups' }).getByRole('button', { name: 'support' }).click()
      await form.getByRole('button', { name: 'Create user' }).click()
      await page.getByRole('heading', { name: 'sam.okafor' }).waitFor()
      await admin.sees('has no token yet')
      await page.getByRole('button', { name: 'New token' }).click()
      await dialog(admin, 'New token').getByLabel('Name').fill('first')
      await dialog(admin, 'New token').getByRole('button', { name: 'Create token' }).click()
      const shown = dialog(admin, /^Token first of/)
      const token = await shown.getByLabel('The token').inputValue()
      expect(await admin.faults()).toEqual([])
      await page.keyboard.press('Escape')
      await shown.getByText('nobody can see this token again').waitFor()
      await shown.getByRole('button', { name: 'Close without copying' }).click()
      await shown.waitFor({ state: 'detached' })
      await page.reload()
      await row(admin, 'first').getByText('valid').waitFor()
      expect(await page.content()).not.toContain(token)
      const { body } = await stage.site.rest.send('GET', '/api/userinfo', undefined, token)
      expect(JSON.parse(body)).toMatchObject({
        name: 'sam.okafor',
        role: 'auditor',
        groups: ['auditor', 'support'],
      })
      await using sam = await stage.arrive()
      await sam.signIn(token, '/users/deploy-bot')
      await row(sam, 'pipeline').waitFor()
      expect(await sam.page.locator('main').getByRole('button').count()).toBe(0)
      expect(admin.problems).toEqual([])
    })

    it('shows people without rights their own tokens alone, and lets them make one by keys', async () => {
      await using sue = await stage.arrive()
      await sue.signIn(stage.site.tokenOf('sue'), '/tokens')
      const { page } = sue
      await row(sue, 'in gateway.yaml').waitFor()
      expect(await page.getByRole('navigation', { name: 'Main' }).getByText('Administration').count()).toBe(0)
      expect(await page.getByRole('row').count()).toBe(2)
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').fill('new token')
      await page.keyboard.press('Enter')
      await dialog(sue, 'New token').waitFor()
      await page.keyboard.type('by-keys')
      await page.keyboard.press('Enter')
      await dialog(sue, /^Token by-keys of/).waitFor()
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await row(sue, 'by-keys').getByRole('button', { name: 'Rotate' }).focus()
      await page.keyboard.press('Enter')
      await dialog(sue, /^Rotate by-keys/).waitFor()
      await page.keyboard.press('Enter')
      await dialog(sue, /^Token by-keys of/)
        .getByRole('button', { name: 'Close without copying' })
        .click()
      await row(sue, 'rotated, still valid').waitFor()
      expect((await tokensOf('sue')).filter(({ name }) => name === 'by-keys')).toHaveLength(2)
      await sue.goTo('/users')
      await row(sue, 'deploy-bot').waitFor()
      expect(await page.getByRole('button', { name: 'New user' }).count()).toBe(0)
    })

    it('lets a token live until a day of the choice of its user', async () => {
      await using sue = await stage.arrive()
      await sue.signIn(stage.site.tokenOf('sue'), '/tokens?new=token')
      const form = dialog(sue, 'New token')
      await form.getByLabel('Name').fill('until-a-day')
      await form.getByLabel('Lifetime').selectOption('until a day of your choice')
      expect(await form.getByRole('button', { name: 'Create token' }).isEnabled()).toBe(false)
      const day = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10)
      await form.getByLabel('Last day').fill(day)
      await form.getByText('The token is valid until').waitFor()
      expect(await sue.faults()).toEqual([])
      await form.getByRole('button', { name: 'Create token' }).click()
      await dialog(sue, /^Token until-a-day of/).waitFor()
      const { body } = await stage.site.rest.send('GET', '/api/tokens?user=sue')
      const made = (JSON.parse(body) as { name: string; expires_at: string }[]).find(
        ({ name }) => name === 'until-a-day',
      )
      // The end of that day in Berlin, where the browser is.
      expect(Math.abs(Date.parse(made?.expires_at ?? '') - Date.parse(`${day}T22:30:00Z`))).toBeLessThan(
        45 * MINUTE,
      )
    })

    it('asks to sign in again ten minutes later, there and then, and does what was asked', async () => {
      await using admin = await stage.enter('/users/ann.kowalski%40shop.example')
      const { page } = admin
      await row(admin, 'old-ci').waitFor()
      await minutesPass(11)
      await row(admin, 'old-ci').getByRole('button', { name: 'Revoke' }).click()
      await dialog(admin, /^Revoke old-ci/)
        .getByRole('button', { name: 'Revoke token' })
        .click()
      const again = dialog(admin, 'Sign in again')
      await again.getByLabel('Token').fill('mistyped')
      await page.keyboard.press('Enter')
      await again.getByText('access denied').waitFor()
      expect(await admin.faults()).toEqual([])
      expect(await revoked()).toEqual([])
      await again.getByLabel('Token').fill(stage.site.token)
      await page.keyboard.press('Enter')
      await row(admin, 'revoked').waitFor()
      expect(await revoked()).toEqual(['old-ci'])
      expect(await page.getByRole('dialog').count()).toBe(0)
    })

    async function revoked(): Promise<string[]> {
      const tokens = await tokensOf('ann.kowalski@shop.example')
      return tokens.filter(({ status }) => status === 'revoked').map(({ name }) => name)
    }

    it('changes nothing when the person gives up, or somebody else signs in', async () => {
      await using admin = await stage.enter('/users/nightly-report')
      const { page } = admin
      await page.getByRole('button', { name: 'Delete' }).waitFor()
      await minutesPass(11)
      await page.getByRole('button', { name: 'Delete' }).click()
      const question = dialog(admin, /^Delete nightly-report/)
      await question.getByRole('button', { name: 'Delete user' }).click()
      await dialog(admin, 'Sign in again').getByRole('button', { name: 'Cancel' }).click()
      await question.getByText('Nothing has changed').waitFor()
      await question.getByRole('button', { name: 'Delete user' }).click()
      await dialog(admin, 'Sign in again').getByLabel('Token').fill(stage.site.tokenOf('sue'))
      await page.keyboard.press('Enter')
      await admin.sees('You are signed in as sue now. Nothing was changed')
      expect((await stage.site.rest.send('GET', '/api/users/nightly-report')).status).toBe(200)
    })

    it('comes back from the provider to what was asked for, and does it', async () => {
      if (provider === undefined) throw new Error('not started yet')
      const { issuer } = provider
      provider.claims = { sub: 'eve-1', email: 'eve@example.test', email_verified: true, groups: ['boss'] }
      // The provider's clock is that of the gateway.
      provider.forge = ({ iat, exp, ...claims }) => ({
        ...claims,
        iat: Number(iat) + shift / 1000,
        exp: Number(exp) + shift / 1000,
      })
      await using eve = await stage.arrive()
      const { page } = eve
      await page.route(`${issuer}/authorize**`, (route) =>
        route.fulfill({
          status: 302,
          headers: { location: provider?.authorize(route.request().url()) ?? '' },
        }),
      )
      await eve.goTo('/tokens')
      await page.getByRole('button', { name: 'Sign in with your account' }).click()
      await page.getByRole('heading', { name: 'Tokens' }).waitFor()
      await minutesPass(11)
      await page.getByRole('button', { name: 'New token' }).first().click()
      await dialog(eve, 'New token').getByLabel('Name').fill('kept-over-the-way')
      await page.keyboard.press('Enter')
      await dialog(eve, 'Sign in again').getByRole('button', { name: 'Sign in with your account' }).click()
      const shown = dialog(eve, /^Token kept-over-the-way of/)
      await shown.getByLabel('The token').waitFor()
      expect((await tokensOf('eve@example.test')).filter(({ name }) => name.startsWith('kept'))).toHaveLength(
        1,
      )
      expect(await page.evaluate('JSON.stringify(sessionStorage)')).not.toContain(
        await shown.getByLabel('The token').inputValue(),
      )
      await page.reload()
      await row(eve, 'kept-over-the-way').waitFor()
      expect((await tokensOf('eve@example.test')).filter(({ name }) => name.startsWith('kept'))).toHaveLength(
        1,
      )
    })

    it('changes the budget of a machine, and says what is wrong with it', async () => {
      await using admin = await stage.enter('/machines')
      await row(admin, 'deploy-bot').getByRole('button', { name: 'Change budget' }).click()
      const form = dialog(admin, /^Budget of deploy-bot/)
      await form.getByLabel('Output').fill('much')
      await form.getByRole('button', { name: 'Save' }).click()
      await form.getByText('a size such as 1GiB').waitFor()
      await form.getByLabel('Output').fill('512MiB')
      await form.getByLabel('Runs').fill('7')
      await form.getByRole('button', { name: 'Save' }).click()
      await row(admin, 'deploy-bot').getByText('0 of 7 in a day').waitFor()
      const { body } = await stage.site.rest.send('GET', '/api/users/deploy-bot')
      expect(JSON.parse(body)).toMatchObject({ budget: { runs: 7, bytes: 2 ** 29, hours: 5, per: 86_400 } })
    })
  },
)
