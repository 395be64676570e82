// Makes `dist/compiled` from the sources, so that commands start in much less time (docs/performance.md). It
// has the program and its packages in chunks. For each kind of command it also has a pack: one file with the
// chunks that the command loads, a source map, and V8's compiled code of one run. Run this after
// scripts/build.mjs.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
/** Folder within a product. Its depth is the depth of the sources that search for the package's files. */
const PLACE = 'dist/compiled/program'
const folder = path.join(root, PLACE)
/** The same sources give two products (docs/architecture.md). */
const ENTRIES = { 'runbook-agent': 'agent-product.ts', 'runbook-gateway': 'gateway-product.ts' }
const { optionalDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
/**
 * Packages that are not compiled. Some find native parts and files relative to their own paths. The others
 * are optional: few commands load them, and an installation may not have them.
 */
const WHOLE = ['koffi', 'libsql', 'node-pty', '@fastify/swagger-ui', ...Object.keys(optionalDependencies)]
const RUNBOOK = 'one.runbook.sh'
const LONGEST_RUN_MS = 120_000
/**
 * With this flag, the agent does not change V8's flags itself. V8 uses compiled code only with the flags with
 * which the code was compiled.
 */
const AS_V8_HAS_IT = '--semi-space-growth-factor=2'
/** Options of esbuild for both steps. */
const FORM = {
  platform: 'node',
  target: 'node20',
  // V8 keeps the file as text, and characters of one byte need half of the memory.
  charset: 'ascii',
  minifyWhitespace: true,
  legalComments: 'none',
  sourcesContent: false,
}

/**
 * Options for the file of a chunk and for a pack. Each is a function expression, as Node makes it of a
 * module.
 */
const FUNCTION = {
  ...FORM,
  format: 'cjs',
  sourcemap: 'external',
  // Packages are loaded by `require`, as in `dist`, because `import()` fails in a script that V8 loads from
  // compiled code.
  supported: { 'dynamic-import': false },
}
const [HEAD, FOOT] = ['(function (exports, require, module, __filename, __dirname) {', '})']

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writePacks('runbook-gateway', await makeChunks('runbook-gateway'), root)

/**
 * Bundles a product.
 * @param {'runbook-agent' | 'runbook-gateway'} product
 * @returns the chunks by name, the names of the packages in them, and the names of the packages that they
 * load from node_modules
 */
export async function makeChunks(product) {
  const { metafile, outputFiles } = await build({
    ...FORM,
    entryPoints: { main: path.join(root, 'src/commands/program', ENTRIES[product]) },
    absWorkingDir: root,
    outdir: folder,
    write: false,
    bundle: true,
    format: 'esm',
    splitting: true,
    chunkNames: '[hash]',
    sourcemap: 'inline',
    external: WHOLE,
    plugins: [{ name: 'named', setup: nameExports }],
    metafile: true,
    logLevel: 'warning',
  })
  const chunks = new Map(
    outputFiles.map(({ path: file, text }) => {
      const { exports } = metafile.outputs[path.relative(root, file)]
      return [path.basename(file), { text, exports }]
    }),
  )
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  const outside = imports.filter((one) => one.external && isWhole(one.path)).map((one) => packageOf(one.path))
  return { chunks, inside: packagesIn(Object.keys(metafile.inputs)), outside: [...new Set(outside)] }
}

/**
 * Writes the chunks and packs of a product, and V8's compiled code of each pack.
 * @param at folder of the product, which has everything else already
 */
export async function writePacks(product, { chunks, inside }, at, { withCode = true } = {}) {
  const target = path.join(at, PLACE)
  // Remove old files first, because V8 would use the compiled code of another file with the same length.
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  await Promise.all([...chunks].map((chunk) => writeChunk(target, chunk)))
  writeFileSync(path.join(target, 'LICENSES'), licenses(inside))
  // The first runs list the chunks that each command loads. The second runs write the compiled code of these
  // chunks.
  for (const name of await runAll(product, at)) {
    const list = path.join(target, `${name}.list`)
    await pack(target, name, readFileSync(list, 'utf8').split('\n').filter(Boolean), chunks)
    rmSync(list)
  }
  if (withCode) await runAll(product, at)
}

/**
 * Gives `import('PACKAGE')` the same named exports as in Node. For a CommonJS package, esbuild's chunk has
 * only a default export, so signed webhooks and files of parameters failed.
 */
function nameExports(bundler) {
  bundler.onResolve({ filter: /^[^./]/ }, ({ kind, path: name, namespace }) =>
    kind === 'dynamic-import' && namespace === 'file' && !isBuiltin(name) && !isWhole(name)
      ? { path: name, namespace: 'named' }
      : undefined,
  )
  bundler.onLoad({ filter: /./, namespace: 'named' }, async ({ path: name }) => {
    const names = Object.keys(await import(name)).filter((each) => each !== 'module.exports')
    return { contents: `export { ${names.join()} } from ${JSON.stringify(name)}`, resolveDir: root }
  })
}

function isWhole(name) {
  return WHOLE.some((whole) => name === whole || name.startsWith(`${whole}/`))
}

async function writeChunk(target, [name, { text }]) {
  const how = { ...FUNCTION, sourcefile: name, banner: HEAD, footer: FOOT }
  const { code, map } = await transform(text, how)
  writeFileSync(path.join(target, name), code)
  writeFileSync(path.join(target, `${name}.map`), map)
}

/**
 * Writes these chunks as one file, in which they use each other's variables directly. Its function `chunk`
 * evaluates a chunk, if this has not happened yet, and returns the exports.
 */
async function pack(target, name, names, chunks) {
  const cases = names.map((each) => `case '${each}': return require('exports of ./${each}').exported()`)
  const { outputFiles } = await build({
    ...FUNCTION,
    stdin: { contents: `export function chunk(name) { switch (name) { ${cases.join('\n')} } }` },
    // The paths in the map are relative to this file, and the same wherever the product is written.
    outfile: path.join(folder, `${name}.js`),
    write: false,
    bundle: true,
    banner: { js: HEAD },
    footer: { js: FOOT },
    plugins: [
      {
        name: 'pack',
        setup(bundler) {
          bundler.onResolve({ filter: /./ }, ({ kind, path: id }) => {
            if (id.startsWith('exports of '))
              return { path: id.slice('exports of '.length), namespace: 'exports' }
            // `import()` loads the chunk by its name, because the chunk may have been evaluated already.
            const isPart = kind !== 'dynamic-import' && names.includes(id.slice('./'.length))
            return isPart ? { path: id, namespace: 'chunks' } : { path: id, external: true }
          })
          bundler.onLoad({ filter: /./, namespace: 'chunks' }, ({ path: id }) => ({
            contents: chunks.get(id.slice('./'.length)).text,
            resolveDir: folder,
          }))
          bundler.onLoad({ filter: /./, namespace: 'exports' }, ({ path: id }) => ({
            contents: exportsOf(id, chunks.get(id.slice('./'.length)).exports),
            resolveDir: folder,
          }))
        },
      },
    ],
    logLevel: 'warning',
  })
  for (const { path: file, contents } of outputFiles)
    writeFileSync(path.join(target, path.basename(file)), contents)
}

/**
 * Returns a module that exports the exports of a chunk as an object. The object is made only for chunks in
 * separate files, and for `import()`.
 */
function exportsOf(id, names) {
  const imported = names.map((name, index) => `${name} as e${index}`)
  const getters = names.map((name, index) => `get ${name}() { return e${index} }`)
  return `import { ${imported.join()} } from '${id}'
    export const exported = () => Object.defineProperty({ ${getters.join()} }, '__esModule', { value: true })`
}

async function runAll(product, at) {
  const place = mkdtempSync(path.join(tmpdir(), 'compile-'))
  try {
    return await runOnce(place, product, at)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/**
 * Runs a gateway, and of the product an agent that connects to it and a command of each kind. Each process of
 * the product writes its compiled code when it ends.
 * @returns the names of the kinds
 */
async function runOnce(place, product, at) {
  const inPlace = (name) => path.join(place, name)
  const write = (name, text) => writeFileSync(inPlace(name), text, { mode: 0o600 })
  for (const name of ['home', 'state', 'runtime']) mkdirSync(inPlace(name), { mode: 0o700 })
  const hasGit = makeRepository(inPlace('runbooks'))
  const run = (name, args, env) => start(place, at, name, args, env)
  // Credentials of a gateway that runs for a second on this machine.
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
      ...(hasGit && { repositories: [{ name: 'runbooks', url: inPlace('runbooks'), branch: 'main' }] }),
      connections: [
        {
          name: 'sh',
          agent: 'local',
          command: ['sh'],
          ...(hasGit && { runbooks: { repository: 'runbooks' } }),
        },
      ],
    }),
  )
  const serve = ['gateway', '--json', '--config', 'gateway.yaml']
  const hasGateway = product === 'runbook-gateway'
  const gateway = hasGateway ? run('gateway', serve) : start(place, root, undefined, serve)
  const { grpc, http } = JSON.parse(await gateway.says('stdout', /^\{/))
  write('agent.credential', `grpc://local:${key}@${grpc.replace('grpc://', '')}?mode=standard`)
  const agent = run('start', ['start', '--key-file', 'agent.credential'])
  await agent.says('stderr', /agent serving/)
  const client = { HOOP_APIURL: http, HOOP_GRPCURL: grpc, HOOP_TOKEN: token }
  const clients = {
    exec: ['exec', 'sh', '--', '-c', 'true'],
    sessions: ['sessions'],
    run: ['run', 'sh', RUNBOOK, '-p', 'word=one'],
    help: ['--help'],
    version: ['version'],
  }
  for (const [name, args] of Object.entries(clients))
    await run(name, args, client).done(name === 'run' && !hasGit ? undefined : 0)
  await agent.end()
  await gateway.end()
  return [...(hasGateway ? ['gateway'] : []), 'start', ...Object.keys(clients)]
}

/**
 * @returns false without git. Then `run` fails because the runbook is missing, but loads nearly the same
 * chunks.
 */
function makeRepository(at) {
  mkdirSync(at)
  // Longer than the gateway waits with its answer, so that `run` always loads what follows a running session.
  writeFileSync(path.join(at, RUNBOOK), 'sleep 1; echo {{ .word }}\n')
  const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
  const who = ['-c', 'user.name=build', '-c', 'user.email=build@localhost']
  return [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '--all'],
    [...who, 'commit', '--quiet', '--message=one'],
  ].every((args) => spawnSync('git', args, { cwd: at, env }).status === 0)
}

/** @param name of the pack; undefined if the process writes no compiled code */
function start(place, at, name, args, env = {}) {
  const keep = name === undefined ? [] : ['--require', path.join(root, 'scripts/keep-code.cjs')]
  const child = spawn(process.execPath, [AS_V8_HAS_IT, ...keep, path.join(at, 'dist/main.js'), ...args], {
    cwd: place,
    // Nothing of the environment of the build: no settings of an installed agent, and no flags of Node,
    // which would change the compiled code.
    env: {
      PATH: process.env.PATH,
      HOME: path.join(place, 'home'),
      RUNTIME_DIRECTORY: path.join(place, 'runtime'),
      STATE_DIRECTORY: path.join(place, 'state'),
      RUNBOOK_AGENT_CONFIG: '',
      ...env,
      ...(name !== undefined && { KEEP_CODE: path.join(at, PLACE, name) }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LONGEST_RUN_MS,
  })
  const ended = once(child, 'exit')
  let said = ''
  child.stderr.on('data', (piece) => (said += piece))
  return {
    /** Resolves to the first line of the stream that matches. */
    async says(stream, pattern) {
      for await (const line of createInterface({ input: child[stream] })) if (pattern.test(line)) return line
      throw new Error(`compile: ${args[0]} ended too early: ${said}`)
    },
    async end() {
      child.kill('SIGTERM')
      await this.done(0)
    },
    /** @param wanted expected exit code. Undefined accepts every code. */
    async done(wanted) {
      const [code] = await ended
      if (wanted !== undefined && code !== wanted)
        throw new Error(`compile: ${args[0]} ended with ${code}: ${said}`)
    },
  }
}

/** @returns the packages of these files, as paths from the root */
function packagesIn(inputs) {
  const packages = inputs.map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1])
  return [...new Set(packages.filter(Boolean))].toSorted()
}

/** Returns the name of the package that this word imports. */
function packageOf(word) {
  return word.split('/', word.startsWith('@') ? 2 : 1).join('/')
}

/** Returns the licences of all packages whose code is in the chunks. */
function licenses(packages) {
  return ['', ...packages]
    .map((each) => {
      const { name, version, license } = JSON.parse(
        readFileSync(path.join(root, each, 'package.json'), 'utf8'),
      )
      const file = readdirSync(path.join(root, each)).find((entry) => /^licen[cs]e/i.test(entry))
      const text =
        file === undefined
          ? 'The package has no file with the text of the licence.'
          : readFileSync(path.join(root, each, file), 'utf8')
      return `${name} ${version} (${license})\n\n${text.trim()}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
