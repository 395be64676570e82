import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core'
import { outer } from './machine/own-folders.ts'

/** Chromium as Debian, Ubuntu and others call it, then Google's build of it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
/** Beside PATH: where packages put it. */
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/Applications/Chromium.app/Contents/MacOS']
/** Up on a machine that is busy with other tests. */
const START_MS = 60_000

const program = (outer['PATH'] ?? '')
  .split(':')
  .concat(FOLDERS)
  .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
  .find((file) => existsSync(file))

/** For `without`, behind the titles of tests that are skipped. */
export const missingBrowser = program === undefined ? 'chromium' : undefined

/**
 * Chromium, one for each test file, which closes it. Each test opens a context of its own in it, and closes that. It
 * asks nobody but the pages that it is sent to.
 */
export class OwnBrowser implements AsyncDisposable {
  readonly #browser: Browser
  readonly #home: string

  static async open(): Promise<OwnBrowser> {
    if (program === undefined) throw new Error('there is no Chromium: apt-get install chromium')
    // It leaves folders in its home.
    const home = mkdtempSync(path.join(tmpdir(), 'browser-'))
    try {
      return new OwnBrowser(await launch(program, home), home)
    } catch (error) {
      rmSync(home, { recursive: true })
      throw error
    }
  }

  private constructor(browser: Browser, home: string) {
    this.#browser = browser
    this.#home = home
  }

  /** As a person with a new profile. */
  newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.#browser.newContext(options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 })
  }
}

function launch(executablePath: string, home: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    timeout: START_MS,
    env: { ...process.env, HOME: home },
    // Its sandbox does not start as root, as which tests run in containers.
    chromiumSandbox: process.geteuid?.() !== 0,
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
}
