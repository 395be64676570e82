#!/usr/bin/env node
// `npm run bench -- page [--throttle 4] [--json]`: measures the page of the built gateway in Chromium, with a
// throttled processor and a slow line: when long lists are usable, the delay of typing, the cost of a table
// with 100,000 rows, and the number of frames during 50 KB of output per second. docs/performance.md explains
// the figures. Run it on an idle machine.
import { Buffer } from 'node:buffer'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'
import { launchChromium } from './measure/chromium.mjs'
import { makeRepository } from './measure/repository.mjs'
import { openSite } from './measure/site.mjs'
import { runFolder } from './run-folder.mjs'

const BOOKS = 5000
const SESSIONS = 10_000
const PEOPLE = 10_000
const ROWS = 100_000
/** The line that Chromium's developer tools call Slow 4G. */
const LINE = { offline: false, latency: 562, downloadThroughput: 180_000, uploadThroughput: 84_375 }
const WATCH_MS = 5000
/** Prints 50 KB per second in ten pieces, for longer than `WATCH_MS`. */
const POURING = `line=$(printf %099d 7); block=$(for i in $(seq 50); do echo "$line"; done); for i in $(seq 150); do echo "$block"; sleep 0.1; done`
const CSV = `echo id,name,total; seq ${ROWS} | awk '{ printf "%d,customer %d,%.2f\\n", $1, $1 % 977, ($1 * 7919 % 100000) / 100 }'`

const { throttle, json } = options()
const folder = runFolder()
const site = await openSite(path.join(folder, 'site'), makeRepository(path.join(folder, 'books'), addBooks))
const browser = await launchChromium()
const figures = {}
try {
  firstLoad()
  for (const [name, measure] of Object.entries({ runbooks, sessions, people, table, log, terminal })) {
    process.stderr.write(`${name}\n`)
    await measure(name)
  }
} finally {
  await browser.close()
  await site.close()
}
process.stdout.write(json ? `${JSON.stringify(figures, null, 2)}\n` : asTable(figures))

/**
 * Returns the size of the files that a browser loads before it shows Home: index.html and its files, compressed by
 * gzip.
 */
function firstLoad() {
  const web = path.resolve(import.meta.dirname, '../dist/web')
  const html = readFileSync(path.join(web, 'index.html'), 'utf8')
  const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, file]) => file)
  const sizes = ['index.html', ...named].map((file) => readFileSync(path.join(web, `${file}.gz`)).length)
  const all = readdirSync(path.join(web, 'assets')).filter((name) => /\.(js|css)\.gz$/.test(name))
  figures['first load, KB gzip'] = kilo(sizes.reduce((sum, size) => sum + size, 0))
  figures['all of the page, KB gzip'] = kilo(
    all.reduce((sum, name) => sum + readFileSync(path.join(web, 'assets', name)).length, 0),
  )
}

async function runbooks(name) {
  const { page, close } = await visitor()
  await open(page, '/runbooks')
  await listed(page, name, ['/api/runbooks'], '.window-rows .runbook, .window-rows .folder')
  await typed(page, name, 'Search runbooks', 'book-4321 team')
  figures[`${name}: rows drawn`] = await page.locator('.window-rows li').count()
  await close()
}

async function sessions(name) {
  const { page, close } = await visitor()
  const { session_id: id } = await api('POST', '/api/sessions', { connection: 'sh', script: 'echo one' })
  const [one] = (await api('GET', '/api/sessions?limit=1')).data
  await page.route('**/api/sessions?*', (route) => {
    const offset = Number(new URL(route.request().url()).searchParams.get('offset'))
    const data = Array.from({ length: 100 }, (_, index) => ({
      ...one,
      id,
      labels: { runbookFile: `ops/number-${offset + index}.runbook.sh` },
    }))
    return route.fulfill({
      json: { data, total: SESSIONS, total_is_capped: true, has_next_page: offset + 100 < SESSIONS },
    })
  })
  await open(page, '/sessions')
  await listed(page, name, ['/api/sessions?'], '.window-rows .listed a')
  await typed(page, name, 'Runbook', 'number of an order')
  await scrolled(page, name)
  figures[`${name}: rows drawn`] = await page.locator('.window-rows li').count()
  await close()
}

async function people(name) {
  const { page, close } = await visitor()
  const [one] = await api('GET', '/api/users')
  const data = Array.from({ length: PEOPLE }, (_, index) => ({ ...one, name: `user-${index}@example.test` }))
  await page.route('**/api/users', (route) => route.fulfill({ json: data }))
  await open(page, '/users')
  await listed(page, name, ['/api/users', '/api/tokens'], 'tbody th a')
  await typed(page, name, 'Search users', 'user-4321')
  figures[`${name}: rows drawn`] = await page.locator('tbody tr:not(.gap)').count()
  await close()
}

async function table(name) {
  const { session_id: id } = await api('POST', '/api/sessions', { connection: 'sh', script: CSV })
  const { page, close, heap } = await visitor({ isSlowLine: false })
  await open(page, `/sessions/${id}?tab=table`)
  await page.getByText('100,000 rows').first().waitFor()
  figures[`${name}: longest task while it opens, ms`] = await longest(page)
  figures[`${name}: memory after opening, MB`] = await heap()
  await page.getByRole('columnheader', { name: 'total' }).getByRole('button').click()
  await page.getByRole('cell', { name: '0.00', exact: true }).first().waitFor()
  figures[`${name}: longest task while it sorts, ms`] = await longest(page)
  await typed(page, name, 'Filter the rows of Result', 'customer 976')
  await page.getByText('102 of 100,000 rows').waitFor()
  figures[`${name}: longest task while it filters, ms`] = await longest(page)
  figures[`${name}: memory then, MB`] = await heap()
  figures[`${name}: rows drawn`] = await page.locator('tbody tr').count()
  await close()
}

async function log(name) {
  const begun = await api(
    'POST',
    '/api/sessions',
    { connection: 'sh', script: POURING },
    { prefer: 'respond-async' },
  )
  const { page, close } = await visitor({ isSlowLine: false, cpu: 1 })
  await open(page, `/sessions/${begun.session_id}`)
  await page.locator('.log .row').nth(5).waitFor()
  await frames(page, name)
  await api('POST', `/api/sessions/${begun.session_id}/kill`, {})
  await close()
}

async function terminal(name) {
  const { page, close } = await visitor({ isSlowLine: false, cpu: 1 })
  await open(page, '/connections/sh/terminal')
  await page
    .locator('.xterm-rows')
    .getByText('$')
    .or(page.locator('.xterm-rows').getByText('#'))
    .first()
    .waitFor()
  await page.keyboard.type(`${POURING}\n`)
  await page.locator('.xterm-rows').getByText('00000000007').nth(3).waitFor()
  await frames(page, name)
  await page.getByRole('button', { name: 'End', exact: true }).click()
  await page.getByRole('button', { name: 'End the terminal' }).click()
  await close()
}

/** Opens a page with a signed-in user. The page stores its measurements. */
async function visitor({ isSlowLine = true, cpu = throttle } = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  await page.addInitScript(`
    window.tasks = []
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: 'longtask', buffered: true })
    window.waits = []
    new PerformanceObserver((list) => waits.push(...list.getEntries().filter(({ name }) => /key|input/.test(name)).map(({ duration }) => duration)))
      .observe({ type: 'event', durationThreshold: 16, buffered: true })`)
  await page.goto(`${site.env.HOOP_APIURL}/agents`)
  await page.getByLabel('Token').fill(site.env.HOOP_TOKEN)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('button', { name: /your menu$/ }).waitFor()
  const tab = await context.newCDPSession(page)
  if (isSlowLine) {
    await tab.send('Network.enable')
    await tab.send('Network.emulateNetworkConditions', LINE)
  }
  await tab.send('Emulation.setCPUThrottlingRate', { rate: cpu })
  const heap = async () => {
    await tab.send('HeapProfiler.collectGarbage')
    const { usedSize, backingStorageSize = 0 } = await tab.send('Runtime.getHeapUsage')
    return Math.round((usedSize + backingStorageSize) / 1e6)
  }
  return { page, heap, close: () => context.close() }
}

async function open(page, view) {
  await page.goto(`${site.env.HOOP_APIURL}${view}`)
}

/** Measures the time from the end of the list's last answer to the first row that can be clicked. */
async function listed(page, name, urls, row) {
  await page.locator(row).first().waitFor()
  const ms = await page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => {
    const all = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/api/'))
    const asked = all.filter(({ name }) => ${JSON.stringify(urls)}.some((one) => name.includes(one)))
    resolve(performance.now() - Math.max(...asked.map(({ responseEnd }) => responseEnd)))
  }))`)
  figures[`${name}: usable after the answer, ms`] = Math.round(ms)
  figures[`${name}: longest task, ms`] = await longest(page)
}

/** Returns the longest time from a key to the frame that shows it, in steps of 8 ms. Less than 16 ms counts as 16. */
async function typed(page, name, field, text) {
  const place = page.getByLabel(field, { exact: true }).first()
  await place.focus()
  await page.evaluate('waits.length = 0')
  await page.keyboard.type(text, { delay: 60 })
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))')
  figures[`${name}: longest wait for a key, ms`] = await page.evaluate('Math.max(16, ...waits)')
}

async function scrolled(page, name) {
  const list = page.locator('.window').first()
  await list.focus()
  await page.evaluate('tasks.length = 0')
  for (let step = 0; step < 20; step++) await page.keyboard.press('PageDown')
  await page.keyboard.press('End')
  await page
    .locator('.window-rows')
    .getByText(`number-${SESSIONS - 1}`)
    .first()
    .waitFor()
  figures[`${name}: longest task while it scrolls, ms`] = await longest(page)
}

/** @returns the longest task since the last call. Less than 50 ms counts as 50. */
async function longest(page) {
  return Math.round(await page.evaluate('Math.max(50, ...tasks.splice(0))'))
}

async function frames(page, name) {
  const { count, slowest } = await page.evaluate(`new Promise((resolve) => {
    let [count, slowest] = [0, 0]
    const begin = performance.now()
    let before = begin
    const step = (now) => {
      count++
      slowest = Math.max(slowest, now - before)
      before = now
      if (now - begin < ${WATCH_MS}) requestAnimationFrame(step)
      else resolve({ count: count / ((now - begin) / 1000), slowest })
    }
    requestAnimationFrame(step)
  })`)
  figures[`${name}: frames a second`] = Math.round(count * 10) / 10
  figures[`${name}: longest frame, ms`] = Math.round(slowest)
  figures[`${name}: rows drawn`] = await page.locator('.log .row, .xterm-rows > div').count()
}

async function api(method, where, body, headers = {}) {
  const reply = await globalThis.fetch(`${site.env.HOOP_APIURL}${where}`, {
    method,
    headers: {
      authorization: `Bearer ${site.env.HOOP_TOKEN}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  return text === '' ? undefined : JSON.parse(text)
}

/** Adds `BOOKS` runbooks, for a long list. */
function addBooks(place) {
  for (let team = 0; team < 50; team++) mkdirSync(path.join(place, `team${team}`))
  for (let index = 0; index < BOOKS; index++)
    writeFileSync(
      path.join(place, `team${index % 50}/book-${index}.runbook.sh`),
      `# Book ${index} of the team\n# Does what number ${index} does.\necho {{ .order | required "which" }}\n`,
    )
}

function kilo(bytes) {
  return Math.round(bytes / 100) / 10
}

function asTable(all) {
  const width = Math.max(...Object.keys(all).map((name) => Buffer.byteLength(name)))
  return Object.entries(all)
    .map(([name, value]) => `${name.padEnd(width)}  ${String(value).padStart(7)}\n`)
    .join('')
}

function options() {
  const { throttle = '4', json = false } = parseArgs({
    options: { throttle: { type: 'string' }, json: { type: 'boolean' } },
  }).values
  if (!(Number(throttle) >= 1 && Number(throttle) <= 20)) {
    process.stderr.write('bench: --throttle must be a number from 1 to 20\n')
    process.exit(64)
  }
  return { throttle: Number(throttle), json }
}
