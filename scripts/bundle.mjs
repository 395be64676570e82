// Puts the program and its dependencies into one folder that runs without an installation, for this platform:
//
//   node scripts/bundle.mjs [FOLDER]        (default: dist-bundle; an existing folder is replaced)
//
// JavaScript becomes main.mjs and some chunks: each command loads its own, as it does unbundled. Packages with native
// parts and those that serve files stay packages, in node_modules: they look for their files by their own paths.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { build as buildPage } from 'vite'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const folder = path.resolve(process.argv[2] ?? path.join(root, 'dist-bundle'))
const WHOLE = ['koffi', 'libsql', 'node-pty', '@fastify/swagger-ui']
/** What the program reads. */
const FILES = ['proto', 'examples', 'systemd']
/** Only for compiling. */
const UNUSED = ['node-addon-api']

const { name, version, description, license } = readJson('package.json')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const { metafile } = await bundle()
await buildPage({
  root: path.join(root, 'web'),
  logLevel: 'warn',
  build: { outDir: path.join(folder, 'web') },
})
for (const each of FILES) cpSync(path.join(root, each), path.join(folder, each), { recursive: true })
for (const each of closure(WHOLE)) copyPackage(each)
writeFileSync(
  path.join(folder, 'package.json'),
  JSON.stringify({ name, version, description, license }, null, 2),
)
writeFileSync(path.join(folder, 'LICENSES'), licenses(Object.keys(metafile.inputs)))

function bundle() {
  return build({
    entryPoints: { main: path.join(root, 'src/main.ts') },
    absWorkingDir: root,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[hash]',
    bundle: true,
    // One file would make the agent load the gateway: 4 MiB more memory, and a later start.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: WHOLE,
    metafile: true,
    logLevel: 'warning',
    legalComments: 'none', // LICENSES has them, in full
    // CommonJS packages require Node's own modules.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    plugins: [
      { name: 'files', setup: (esbuild) => esbuild.onLoad({ filter: /[/\\]package-files\.ts$/ }, relocated) },
    ],
  })
}

/** In the bundle, main and chunks stand at the top, beside the files that they read. */
function relocated({ path: file }) {
  const contents = readFileSync(file, 'utf8')
    .replace("path.resolve(__dirname, '../../..')", 'import.meta.dirname')
    .replace('dist/main.js', 'main.mjs')
    .replace('dist/web', 'web')
  if (contents.includes("'../../..'") || contents.includes('dist/'))
    throw new Error(`${file} finds its place in another way than scripts/bundle.mjs knows`)
  return { contents, loader: 'ts' }
}

/** These packages and what they depend on, as far as it is installed. */
function closure(names) {
  const found = new Set()
  const add = (each) => {
    if (found.has(each) || UNUSED.includes(each) || !existsSync(path.join(root, 'node_modules', each))) return
    found.add(each)
    const { dependencies, optionalDependencies } = readJson('node_modules', each, 'package.json')
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) add(next)
  }
  for (const each of names) add(each)
  return [...found].filter((each) => !each.endsWith('-musl') || isMusl())
}

/** What runs and its licence; not the sources, nor binaries of other platforms. */
function copyPackage(each) {
  const from = path.join(root, 'node_modules', each)
  const foreign = (file) =>
    file.includes('prebuilds') && !file.includes(`${process.platform}-${process.arch}`)
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const file = path.relative(from, path.join(entry.parentPath, entry.name))
    if (!entry.isFile() || foreign(file)) continue
    if (!/\.(js|cjs|mjs|json|node|css|html|png|svg)$|^licen[cs]e/i.test(file)) continue
    cpSync(path.join(from, file), path.join(folder, 'node_modules', each, file))
  }
}

/** The licence of every package whose code is in the bundle. */
function licenses(inputs) {
  const packages = inputs
    .map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1])
    .filter(Boolean)
  return ['', ...new Set(packages.toSorted())]
    .map((each) => {
      const { name, version, license } = readJson(each, 'package.json')
      const file = readdirSync(path.join(root, each)).find((entry) => /^licen[cs]e/i.test(entry))
      const text =
        file === undefined
          ? 'The package has no file with its text.'
          : readFileSync(path.join(root, each, file), 'utf8')
      return `${name} ${version} (${license})\n\n${text.trim()}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

function isMusl() {
  return process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined
}

function readJson(...names) {
  return JSON.parse(readFileSync(path.join(root, ...names), 'utf8'))
}
