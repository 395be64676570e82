// Copies the built program to one folder that runs without an installation, for this platform and this
// version of Node:
//
//   node scripts/bundle.mjs [FOLDER]        (default: dist-bundle; an existing folder is replaced)
//
// The program and most packages are in `dist/compiled`. Packages with native parts, and packages that serve
// files, stay in node_modules, because they find their files relative to their own paths.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { WHOLE } from './compile.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const folder = path.resolve(process.argv[2] ?? path.join(root, 'dist-bundle'))
/** Files that the program reads, and the files that load the packs. */
const FILES = [
  'proto',
  'examples',
  'systemd',
  'dist/web',
  'dist/compiled',
  'dist/package.json',
  'dist/main.js',
]
/** Packages that are needed only for compiling. */
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

/** Returns these packages and their installed dependencies. */
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

/** Copies the files that run, and the licence. Leaves out sources and binaries of other platforms. */
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
