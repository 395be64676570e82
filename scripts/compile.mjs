// Makes `dist/compiled` from the sources: the program and its packages in one file, with a map, and the code that V8
// has made for it in one run each of a gateway, an agent and two commands of a client. So they start in much less time
// (docs/performance.md). To be run after scripts/build.mjs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
/** As deep as the sources that look for the package's files. */
const folder = path.join(root, 'dist/compiled/program')
const { optionalDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
/**
 * Packages that stay packages: those that look for their native parts and files by their own paths, and the optional ones,
 * which few load and an installation may lack.
 */
export const WHOLE = [
  'koffi',
  'libsql',
  'node-pty',
  '@fastify/swagger-ui',
  ...Object.keys(optionalDependencies),
]
const LONGEST_RUN_MS = 120_000

if (process.argv[1] === fileURLToPath(import.meta.url)) await compile()

async function compile() {
  // First: V8 would take the code of another file of the same length.
  rmSync(folder, { recursive: true, force: true })
  const { metafile } = await build({
    entryPoints: { program: path.join(root, 'src/commands/program/main.ts') },
    absWorkingDir: root,
    outdir: folder,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // What stays a package is required, as in `dist`: V8 forgets how to import in a script whose code it was given.
    supported: { 'dynamic-import': false },
    // V8 keeps the file as text: letters of one byte each take half of the memory.
    charset: 'ascii',
    minifyWhitespace: true,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
    footer: { js: '})' },
    external: WHOLE,
    metafile: true,
    logLevel: 'warning',
  })

  writeFileSync(path.join(folder, 'LICENSES'), licenses(Object.keys(metafile.inputs)))
  const place = mkdtempSync(path.join(tmpdir(), 'compile-'))
  try {
    await runOnce(place)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Runs a gateway, and an agent that connects to it. Each leaves its code when it ends. */
async function runOnce(place) {
  const at = (name) => path.join(place, name)
  const write = (name, text) => writeFileSync(at(name), text, { mode: 0o600 })
  for (const name of ['home', 'state', 'runtime']) mkdirSync(at(name), { mode: 0o700 })
  // They open a gateway that lives for a second, on this machine.
  const [token, key] = ['token-of-a-second', 'xagt-key-of-a-second']
  write('admin.token', token)
  write('agent.key', key)
  write(
    'gateway.yaml',
    JSON.stringify({
      listen: { http: '127.0.0.1:0', grpc: '127.0.0.1:0' },
      state: './state',
      users: [{ name: 'admin', token: 'file://admin.token', groups: ['admin'] }],
      agents: [{ name: 'local', key: 'file://agent.key' }],
      connections: [{ name: 'sh', agent: 'local', command: ['sh'] }],
    }),
  )
  const gateway = run(place, 'gateway', ['gateway', '--json', '--config', 'gateway.yaml'])
  const { grpc, http } = JSON.parse(await gateway.says('stdout', /^\{/))
  write('agent.credential', `grpc://local:${key}@${grpc.replace('grpc://', '')}?mode=standard`)
  const agent = run(place, 'start', ['start', '--key-file', 'agent.credential'])
  await agent.says('stderr', /agent serving/)
  const client = { HOOP_APIURL: http, HOOP_GRPCURL: grpc, HOOP_TOKEN: token }
  await run(place, 'sessions', ['sessions'], client).done()
  await run(place, 'exec', ['exec', 'sh', '--', '-c', 'true'], client).done()
  await agent.end()
  await gateway.end()
}

function run(place, name, args, env = {}) {
  const child = spawn(
    process.execPath,
    ['--require', path.join(root, 'scripts/keep-code.cjs'), path.join(root, 'dist/main.js'), ...args],
    {
      cwd: place,
      // Nothing of whoever builds: no settings of an agent that is installed, no flags of Node, which would make other code.
      env: {
        PATH: process.env.PATH,
        HOME: path.join(place, 'home'),
        RUNTIME_DIRECTORY: path.join(place, 'runtime'),
        STATE_DIRECTORY: path.join(place, 'state'),
        RUNBOOK_AGENT_CONFIG: '',
        ...env,
        KEEP_CODE: path.join(folder, `${name}.code`),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LONGEST_RUN_MS,
    },
  )
  const ended = once(child, 'exit')
  let said = ''
  child.stderr.on('data', (piece) => (said += piece))
  return {
    /** Settles with the first line of the stream that fits. */
    async says(stream, pattern) {
      for await (const line of createInterface({ input: child[stream] })) if (pattern.test(line)) return line
      throw new Error(`compile: ${name} has ended too early: ${said}`)
    },
    async end() {
      child.kill('SIGTERM')
      await this.done()
    },
    async done() {
      const [code] = await ended
      if (code !== 0) throw new Error(`compile: ${name} ended with ${code}: ${said}`)
    },
  }
}

/** The licence of every package whose code is in the bundle. */
function licenses(inputs) {
  const packages = inputs
    .map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1])
    .filter(Boolean)
  return ['', ...new Set(packages.toSorted())]
    .map((each) => {
      const { name, version, license } = JSON.parse(
        readFileSync(path.join(root, each, 'package.json'), 'utf8'),
      )
      const file = readdirSync(path.join(root, each)).find((entry) => /^licen[cs]e/i.test(entry))
      const text =
        file === undefined
          ? 'The package has no file with its text.'
          : readFileSync(path.join(root, each, file), 'utf8')
      return `${name} ${version} (${license})\n\n${text.trim()}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
