#!/usr/bin/env node
// `npm run bench -- slow-line [--rounds 3] [--json]`: measures on a filled site (`npm run site`) how long the
// list of sessions takes over a line of 50 KB/s with a delay of 400 ms: with an empty cache, and by a click on
// Home. Prints the median of the rounds.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { launchChromium } from './measure/chromium.mjs'

const LINE = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 }
/** How long a person looks at Home. */
const LOOKS_MS = 8000
const ROW = '.window-rows .listed a'

const { rounds, json } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false } },
}).values
const site = await openFilledSite()
const browser = await launchChromium()
const all = { 'sessions, empty cache, ms': [], 'sessions by a click on Home, ms': [], 'bytes of both': [] }
try {
  for (let round = 0; round < Number(rounds); round++) await measure()
} finally {
  await browser.close()
  site.process.kill('SIGINT')
  await once(site.process, 'close')
}
const figures = Object.fromEntries(Object.entries(all).map(([name, values]) => [name, median(values)]))
process.stdout.write(json ? `${JSON.stringify(figures)}\n` : table(figures))

/** Starts the site, and returns its address and the operator's token. */
async function openFilledSite() {
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, '../scripts/site.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += text
    const [, address] = /^(http:\S+)$/m.exec(said) ?? []
    const [, token] = /^operator +\S+ +(\S+)$/m.exec(said) ?? []
    if (address !== undefined && token !== undefined) return { process: child, address, token }
  }
  throw new Error(`the site has ended: ${said}`)
}

async function measure() {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  await page.goto(`${site.address}/agents`)
  await page.getByLabel('Token').fill(site.token)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('button', { name: /your menu$/ }).waitFor()
  const tab = await context.newCDPSession(page)
  await tab.send('Network.enable')
  let bytes = 0
  tab.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength))
  await tab.send('Network.emulateNetworkConditions', LINE)
  await tab.send('Network.clearBrowserCache')
  all['sessions, empty cache, ms'].push(
    await timed(page, () => page.goto(`${site.address}/sessions`, { waitUntil: 'commit' })),
  )
  await tab.send('Network.clearBrowserCache')
  await page.goto(site.address)
  await page.getByRole('heading', { name: 'Running now' }).waitFor()
  await page.waitForTimeout(LOOKS_MS)
  const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sessions' })
  all['sessions by a click on Home, ms'].push(await timed(page, () => link.click()))
  all['bytes of both'].push(bytes)
  await context.close()
}

async function timed(page, act) {
  const begin = performance.now()
  await act()
  await page.locator(ROW).first().waitFor()
  return Math.round(performance.now() - begin)
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

function table(all) {
  return Object.entries(all)
    .map(([name, value]) => `${name.padEnd(34)}${String(value).padStart(9)}\n`)
    .join('')
}
