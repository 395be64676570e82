// Puts the built program into one folder that runs without an installation, for this platform and this Node:
//
//   node scripts/bundle.mjs [FOLDER]        (default: dist-bundle; an existing folder is replaced)
//
// It takes `dist/compiled`, which has the program and its packages in packs and chunks. Packages with native parts and those
// that serve files stay packages, in node_modules: they look for their files by their own paths.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { WHOLE } from './compile.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const folder = path.resolve(process.argv[2] ?? path.join(root, 'dist-bundle'))
/** What the program reads, and what loads the packs. */
const FILES = [
  'proto',
  'examples',
  'systemd',
  'dist/web',
  'dist/compiled',
  'dist/package.json',
  'dist/main.js',
]
/** Only for compiling. */
const UNUSED = ['node-addon-api']

const { name, version, description, license } = readJson('package.json')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const each of FILES) cpSync(path.join(root, each), path.join(folder, each), { recursive: true })
for (const each of closure(WHOLE)) copyPackage(each)
writeFileSync(
  path.join(folder, 'package.json'),
  JSON.stringify({ name, version, description, license }, null, 2),
)

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

function isMusl() {
  return process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined
}

function readJson(...names) {
  return JSON.parse(readFileSync(path.join(root, ...names), 'utf8'))
}
