// The first steps of `npm start` and `npm run dev`, before anything of the program runs. At its start this file
// may import only Node's own modules: the packages may not be installed yet.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { constants } from 'node:os'
import path from 'node:path'
import { clearInterval, setInterval } from 'node:timers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
/** The addresses in the first gateway.yaml, which src/commands/dev/state.ts writes. */
const FIRST = { http: '127.0.0.1:8009', grpc: '127.0.0.1:8010' }
/** Interval of the checks whether npm still runs. A check is one system call. */
const CHECK_MS = 500

/**
 * Ends this process when npm ends, refuses ports that are in use, and then sets up the checkout.
 *
 * @param flags those of `dev`
 */
export async function prepare(flags) {
  endWithNpm()
  for (const address of await addresses(flags)) if (await isInUse(address)) refuse(address)
  await setUp()
}

/**
 * A killed npm (SIGKILL) passes no signal on, and this process gets another parent. `exec` in package.json
 * makes this process a child of npm itself: otherwise `sh` would be its parent, and would go on.
 */
function endWithNpm() {
  const npm = process.ppid
  const checking = setInterval(() => {
    if (process.ppid === npm) return
    clearInterval(checking)
    process.kill(process.pid, 'SIGTERM')
  }, CHECK_MS).unref()
}

/** Returns the addresses on which `dev` will listen, as far as they can be known before the build. */
async function addresses(flags) {
  const text = { type: 'string' }
  const options = { http: text, grpc: text, state: { ...text, default: 'state' } }
  const { values } = parseArgs({ args: flags, options, strict: false })
  const listen = await listenOf(path.resolve(root, values.state))
  return [values.http ?? listen.http, values.grpc ?? listen.grpc]
}

/** Returns no addresses for settings that cannot be read: `dev` says later what is wrong with them. */
async function listenOf(state) {
  try {
    const settings = readFileSync(path.join(state, 'gateway.yaml'), 'utf8')
    const { parse } = await import('yaml')
    return parse(settings)?.listen ?? {}
  } catch (error) {
    return error.code === 'ENOENT' ? FIRST : {}
  }
}

/** Returns false for an address that is wrong: `dev` says later what is wrong with it. */
async function isInUse(address) {
  const [, host = '127.0.0.1', port] = /^(?:\[?([^\]]*?)\]?:)?(\d{1,5})$/.exec(address) ?? []
  if (port === undefined || Number(port) > 65_535) return false
  const server = createServer()
  try {
    await once(server.listen(Number(port), host), 'listening')
    return false
  } catch (error) {
    return error.code === 'EADDRINUSE'
  } finally {
    server.close()
  }
}

function refuse(address) {
  console.error(
    `cannot listen on ${address}: the port is in use. Stop the program that uses this port, or choose other ports: npm start -- --http 127.0.0.1:0 --grpc 127.0.0.1:0`,
  )
  process.exit(78)
}

/** Runs the setup in its own group, so that nothing of it outlives this process when a signal ends both. */
async function setUp() {
  const setup = spawn(process.execPath, ['scripts/setup.mjs'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  })
  const end = (signal) => {
    process.kill(-setup.pid, 'SIGTERM')
    process.exit(128 + constants.signals[signal])
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, end)
  const [code] = await once(setup, 'exit')
  for (const signal of signals) process.off(signal, end)
  if (code !== 0) process.exit(code ?? 1)
}
