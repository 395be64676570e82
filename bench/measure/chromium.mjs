import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { chromium } from 'playwright-core'

/** Starts the Chromium of this machine, and ends this process where there is none. */
export function launchChromium() {
  return chromium.launch({ executablePath: chromiumFile(), chromiumSandbox: process.geteuid?.() !== 0 })
}

function chromiumFile() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/bin', '/snap/bin']
  const file = folders
    .flatMap((one) => names.map((name) => path.join(one, name)))
    .find((one) => existsSync(one))
  if (file === undefined) {
    process.stderr.write('bench: there is no Chromium: apt-get install chromium\n')
    process.exit(1)
  }
  return file
}
