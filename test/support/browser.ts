import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core'
import { inject } from 'vitest'

const endpoint = inject('browser')

/** For `without`, after the titles of tests that are skipped. */
export const missingBrowser = endpoint === undefined ? 'chromium' : undefined

/**
 * The line of one test file to the browser that all share (`browser-server.ts`). Each test opens a context of its own
 * in the browser and closes it.
 */
export class OwnBrowser implements AsyncDisposable {
  readonly #browser: Browser

  static async open(): Promise<OwnBrowser> {
    if (endpoint === undefined) throw new Error('there is no Chromium: apt-get install chromium')
    return new OwnBrowser(await chromium.connect(endpoint))
  }

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  /** As a person with a new profile. */
  newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.#browser.newContext(options)
  }

  /** Also closes the contexts of this line that are still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
  }
}
