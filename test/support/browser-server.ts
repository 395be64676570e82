import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { chromium, type BrowserServer } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { temporaryFolder } from './machine/temporary-folder.ts'

/** Chromium as Debian, Ubuntu and others call it, then Google's build of it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
/** Beside PATH: where packages put it. */
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/Applications/Chromium.app/Contents/MacOS']
/** Up on a machine that is busy with other tests. */
const START_MS = 60_000

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the browser of all page tests listens; absent where there is no Chromium. */
    readonly browser?: string
  }
}

/** Starts one Chromium for all tests of the page, and ends it after them: a start costs two seconds of a core. */
export default async function start(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const program = (process.env['PATH'] ?? '')
    .split(':')
    .concat(FOLDERS)
    .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
    .find((file) => existsSync(file))
  if (program === undefined) return undefined
  // Chromium leaves folders in its home.
  const home = mkdtempSync(path.join(temporaryFolder(), 'runbook-browser-'))
  try {
    const server = await launch(program, home)
    project.provide('browser', server.wsEndpoint())
    return async () => {
      await server.close()
      remove(home)
    }
  } catch (error) {
    remove(home)
    throw error
  }
}

/** The browser asks nobody but the pages that it is sent to. */
function launch(executablePath: string, home: string): Promise<BrowserServer> {
  return chromium.launchServer({
    executablePath,
    timeout: START_MS,
    host: '127.0.0.1',
    env: { PATH: process.env['PATH'], HOME: home, TMPDIR: home },
    // Its sandbox does not start as root, as which tests run in containers.
    chromiumSandbox: process.geteuid?.() !== 0,
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      // A scroll by a key takes frames, and one of 180 stopped 9,000 px before the end of a list that was being drawn.
      '--disable-smooth-scrolling',
    ],
  })
}

function remove(home: string): void {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
}
