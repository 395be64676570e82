// Puts the built program and its dependencies into one folder that runs without an installation, for this platform:
//
//   node scripts/bundle.mjs [FOLDER]        (default: dist-bundle; an existing folder is replaced)
//
// JavaScript becomes main.mjs and some chunks: each command loads its own, as it does unbundled. Packages with native
// parts stay packages, in node_modules: a .node file has to be a file, and they look for theirs by their own paths.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const folder = path.resolve(process.argv[2] ?? path.join(root, 'dist-bundle'))
const NATIVE = ['koffi', 'libsql', 'node-pty']
/** Only for compiling. */
const UNUSED = ['node-addon-api']

const { name, version, description, license } = readJson('package.json')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const assets = new Set()
const { metafile } = await bundle()
for (const asset of assets) cpSync(path.join(root, asset), path.join(folder, asset), { recursive: true })
for (const each of closure(NATIVE)) copyPackage(each)
writeFileSync(
  path.join(folder, 'package.json'),
  JSON.stringify({ name, version, description, license }, null, 2),
)
writeFileSync(path.join(folder, 'LICENSES'), licenses(Object.keys(metafile.inputs)))

function bundle() {
  return build({
    entryPoints: { main: path.join(root, 'dist/main.js') },
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
    external: NATIVE,
    metafile: true,
    logLevel: 'warning',
    legalComments: 'none', // LICENSES has them, in full
    // CommonJS packages require Node's own modules.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    plugins: [
      { name: 'paths', setup: (esbuild) => esbuild.onLoad({ filter: /[/\\]dist[/\\].*\.js$/ }, relocated) },
    ],
  })
}

/** Our modules name files by their own place, `new URL('../x', import.meta.url)`: in the bundle all stand at the top. */
function relocated({ path: file }) {
  if (!file.startsWith(path.join(root, 'dist') + path.sep)) return undefined
  const contents = readFileSync(file, 'utf8').replaceAll(
    /new URL\('([^']+)', import\.meta\.url\)/g,
    (_, link) => {
      const target = path.relative(root, path.resolve(path.dirname(file), link))
      if (target === path.join('dist', 'main.js')) return "new URL('./main.mjs', IMPORT_META.url)"
      if (target !== 'package.json') assets.add(target)
      return `new URL('./${target}', IMPORT_META.url)`
    },
  )
  if (contents.includes('import.meta'))
    throw new Error(`${file} uses import.meta in another way than scripts/bundle.mjs knows`)
  return { contents: contents.replaceAll('IMPORT_META', 'import.meta') }
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
    if (!/\.(js|cjs|mjs|json|node)$|^licen[cs]e/i.test(file)) continue
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
