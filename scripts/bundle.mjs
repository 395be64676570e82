// Makes the folder of a product, which runs without an installation on this platform and this version of
// Node:
//
//   node scripts/bundle.mjs PRODUCT [FOLDER]
//
// PRODUCT is runbook-agent (agent and command line) or runbook-gateway (everything). The default for FOLDER is
// dist-bundle/PRODUCT. An existing folder is replaced. `npm run build` has to run first.
//
// The program and most packages are in `dist/compiled`. Packages with native parts, and packages that serve
// files, stay in node_modules, because they find their files relative to their own paths. Of all other packages
// node_modules has the package.json, where scanners for known vulnerabilities look for names and versions.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeChunks, writePacks } from './compile.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const FILES = ['LICENSE', 'proto', 'dist/package.json', 'dist/main.js']
/** `files` are read by this product alone. */
const PRODUCTS = {
  'runbook-agent': {
    description: 'Runs hoop.dev runbooks beside your databases: an executor agent and a command line.',
    files: ['systemd/runbook-agent.service', 'examples/policies'],
  },
  'runbook-gateway': {
    description:
      'Runs hoop.dev runbooks beside your databases: an embedded gateway, its agent and a command line.',
    files: ['systemd', 'examples', 'dist/web'],
  },
}
/** Packages that are needed only for compiling. */
const UNUSED = ['node-addon-api']

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , product = '', given] = process.argv
  if (!Object.hasOwn(PRODUCTS, product)) {
    console.error(`bundle: the product is ${Object.keys(PRODUCTS).join(' or ')}`)
    process.exit(64)
  }
  await bundle(product, path.resolve(given ?? path.join(root, 'dist-bundle', product)))
}

/**
 * Makes the folder of a product.
 * @param isReproducible leaves out V8's compiled code, which differs from build to build
 * @returns the names of the packages that the program loads from node_modules
 */
export async function bundle(product, folder, { isReproducible = false } = {}) {
  const made = await makeChunks(product)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const each of [...FILES, ...PRODUCTS[product].files])
    cpSync(path.join(root, each), path.join(folder, each), { recursive: true })
  for (const each of closure(made.outside)) copyPackage(each, folder)
  for (const each of made.inside)
    if (!existsSync(path.join(folder, each)))
      cpSync(path.join(root, each, 'package.json'), path.join(folder, each, 'package.json'))
  writeManifest(product, folder)
  await writePacks(product, made, folder, { withCode: !isReproducible })
  return made.outside
}

/** Names the packages that the sources import, with the installed versions. */
function writeManifest(product, folder) {
  const { version, license, bin, engines, ...all } = readJson('package.json')
  const { description } = PRODUCTS[product]
  const has = (name) => existsSync(path.join(folder, 'node_modules', name))
  const [dependencies, optionalDependencies] = [all.dependencies, all.optionalDependencies].map((some) =>
    Object.fromEntries(
      Object.keys(some)
        .filter(has)
        .map((name) => [name, readJson('node_modules', name, 'package.json').version]),
    ),
  )
  const manifest = { name: product, version, description, license, bin, engines }
  writeFileSync(
    path.join(folder, 'package.json'),
    `${JSON.stringify({ ...manifest, dependencies, optionalDependencies }, null, 2)}\n`,
  )
}

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
function copyPackage(each, folder) {
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
