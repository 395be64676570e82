import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import axe from 'axe-core'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { fileURLToPath } from 'node:url'
import type { OwnBrowser } from '../../support/browser.ts'
import { outer } from '../../support/machine/own-folders.ts'

const PICTURES = fileURLToPath(new URL('../../../docs/page', import.meta.url))

/** What a person sees is there after so long, also on a machine that is busy with other tests. */
const SHOWN_MS = 30_000

interface RunOnly {
  readonly type: 'tag' | 'rule'
  readonly values: string[]
}

const STANDARDS: RunOnly = {
  type: 'tag',
  values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
}
/** The rules of axe that look at colours. */
const OF_COLOURS: RunOnly = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }

/** A person with a browser, at the page of a gateway. */
export class Visitor implements AsyncDisposable {
  readonly page: Page
  /** What went wrong in the page: errors of scripts, and what its policy has refused. */
  readonly problems: string[] = []
  /** Addresses of other servers that were asked for something. */
  readonly foreign: string[] = []
  readonly #moments: Buffer[] = []
  readonly #context: BrowserContext
  readonly #address: string

  /** @param address of the gateway's REST interface, host:port */
  static async arrive(
    browser: OwnBrowser,
    address: string,
    options: BrowserContextOptions = {},
  ): Promise<Visitor> {
    const context = await browser.newContext({
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      // A test that looks at colours in the middle of a transition sees neither the old nor the new ones.
      reducedMotion: 'reduce',
      viewport: { width: 1120, height: 680 },
      ...options,
    })
    context.setDefaultTimeout(SHOWN_MS)
    return new Visitor(context, await context.newPage(), address)
  }

  private constructor(context: BrowserContext, page: Page, address: string) {
    this.#context = context
    this.#address = address
    this.page = page
    page.on('pageerror', (error) => this.problems.push(String(error)))
    page.on('console', (message) => {
      const text = message.text()
      const isProblem = message.type() === 'error' && !text.startsWith('Failed to load resource')
      if (isProblem) this.problems.push(text)
    })
    page.on('request', (request) => {
      const { host, protocol } = new URL(request.url())
      if (protocol.startsWith('http') && host !== address) this.foreign.push(request.url())
    })
  }

  async goTo(view: string): Promise<void> {
    await this.page.goto(`http://${this.#address}${view}`)
  }

  /** Opens a view, and signs in there. */
  async signIn(token: string, view = '/'): Promise<void> {
    await this.goTo(view)
    await this.page.getByLabel('Token').fill(token)
    await this.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await this.page.getByRole('button', { name: /your menu$/ }).waitFor()
  }

  /** Settles when the view has what it shows. */
  async settled(): Promise<void> {
    await this.page.locator('main h1, main .empty, main .problem').first().waitFor()
    await this.page.locator('.loading').first().waitFor({ state: 'detached' })
  }

  async click(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click()
  }

  /** Settles when this text is there. */
  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor()
  }

  /** Settles when the output has this. */
  async reads(text: string): Promise<void> {
    await this.page.getByRole('log', { name: 'Output' }).getByText(text).first().waitFor()
  }

  /** All rows of the output that are drawn. */
  output(): Promise<string> {
    return this.page.getByRole('log', { name: 'Output' }).innerText()
  }

  /** For the documents, when PAGE_PICTURES is set. */
  async picture(name: string): Promise<void> {
    if (outer['PAGE_PICTURES'] === undefined) return
    await this.page.screenshot({ path: `${PICTURES}/${name}.png`, animations: 'disabled' })
  }

  /** The next moment of the cast, likewise. */
  async moment(): Promise<void> {
    if (outer['PAGE_PICTURES'] === undefined) return
    this.#moments.push(await this.page.screenshot({ animations: 'disabled' }))
  }

  /** All moments as a moving picture. ImageMagick makes it, which `apt-get install imagemagick` brings. */
  cast(name: string): void {
    if (this.#moments.length === 0) return
    const folder = mkdtempSync(path.join(tmpdir(), 'cast-'))
    try {
      const files = this.#moments.map((_, at) => path.join(folder, `${String(at).padStart(2, '0')}.png`))
      files.forEach((file, at) => writeFileSync(file, this.#moments[at] ?? ''))
      const how = ['-delay', '150', '-loop', '0', '-resize', '75%', '+dither', '-colors', '64']
      execFileSync('/usr/bin/convert', [...how, ...files, '-layers', 'Optimize', `${PICTURES}/${name}.gif`])
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  /** What axe says of the view: nothing, where everybody can use it. @param rules all of these standards, or by name */
  async faults(rules: RunOnly = STANDARDS): Promise<string[]> {
    await this.page.evaluate(axe.source)
    const violations = await this.page.evaluate(async (runOnly) => {
      const { axe: here } = globalThis as unknown as { axe: typeof axe }
      const result = await here.run({ runOnly })
      return result.violations.map(({ id, nodes }) => ({
        id,
        nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })),
      }))
    }, rules)
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
    )
  }

  /** The same with both themes. What depends on colours alone is looked at again in the dark. */
  async faultsInBothThemes(): Promise<string[]> {
    const light = await this.faults()
    await this.page.emulateMedia({ colorScheme: 'dark' })
    const dark = await this.faults(OF_COLOURS)
    await this.page.emulateMedia({ colorScheme: 'light' })
    return [...light, ...dark.map((fault) => `dark: ${fault}`)]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
  }
}
