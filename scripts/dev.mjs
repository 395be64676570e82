// `npm run dev [-- FLAGS OF dev]` builds after each change of src, and restarts `dist/main.js dev` if the
// build succeeds. After a change of web the page is built. Reload it in the browser.
// One Ctrl-C ends build and program in order. The second and third Ctrl-C are passed on to `dev`. Build and
// program also end when npm or this process is killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { prepare, root } from './prepare.mjs'

const BUILT = 'Found 0 errors.'
/**
 * A terminal signals its whole group, and npm passes the signal on. Signals within this time count as one
 * signal.
 */
const SAME_SIGNAL_MS = 200
/** A child with this code ends when its channel to this process closes. The code keeps no child alive. */
const END_WITH_PARENT =
  'data:text/javascript,process.once("disconnect",()=>process.kill(process.pid,"SIGTERM")).channel.unref()'

await prepare(process.argv.slice(2))
// Builds of tsc have no stamp, so the next `npm start` builds again.
rmSync(path.join(root, 'dist/.stamp'), { force: true })
// Otherwise this old code would run instead of the new build.
rmSync(path.join(root, 'dist/compiled'), { recursive: true, force: true })

const compiler = inOwnGroup(
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'],
  ['ignore', 'pipe', 'inherit'],
)
const page = inOwnGroup(
  ['node_modules/vite/bin/vite.js', 'build', 'web', '--watch', '--logLevel', 'warn'],
  ['ignore', 'inherit', 'inherit'],
)
let program
let state = 'watching'
let lastSignal = 0

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end)
process.on('exit', () => {
  for (const child of [compiler, page, program]) if (isRunning(child)) child.kill('SIGTERM')
})
createInterface({ input: compiler.stdout }).on('line', (line) => {
  console.error(line)
  if (line.includes(BUILT)) void restart()
})
compiler.once('exit', () => {
  if (state !== 'ending') end()
})

/** Restarts the program. If another build succeeds while the program stops, the newest build is started. */
async function restart() {
  if (state !== 'watching') return
  state = 'restarting'
  if (isRunning(program)) {
    program.kill('SIGTERM')
    await once(program, 'exit')
  }
  if (state === 'ending') return
  state = 'watching'
  program = inOwnGroup(['dist/main.js', 'dev', ...process.argv.slice(2)], ['ignore', 'inherit', 'inherit'])
  program.once('exit', (code) => {
    if (state === 'watching') console.error(`dev: ended with ${code}; the next change starts it again`)
  })
}

function end() {
  if (Date.now() - lastSignal < SAME_SIGNAL_MS) return
  lastSignal = Date.now()
  state = 'ending'
  compiler.kill('SIGTERM')
  page.kill('SIGTERM')
  if (isRunning(program)) program.kill('SIGTERM')
}

/**
 * Starts a process in its own group. So Ctrl-C in a terminal reaches only this process, which signals the
 * others once.
 */
function inOwnGroup(args, stdio) {
  return spawn(process.execPath, ['--import', END_WITH_PARENT, ...args], {
    cwd: root,
    stdio: [...stdio, 'ipc'],
    detached: true,
  })
}

function isRunning(child) {
  return child !== undefined && child.exitCode === null && child.signalCode === null
}
