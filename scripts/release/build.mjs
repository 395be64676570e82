// Makes what a release consists of, in dist-release, from a checkout without changes:
//
//   npm run release:build -- [PRODUCT ...]
//
// For each product and architecture a tarball with its own Node, a deb and an rpm; for each product a package for
// npm; bills of materials, SHA256SUMS, and its signature if RELEASE_KEY has a private key of OpenSSH. Two builds of
// a commit are equal. Needs Linux on x64, tar, and nfpm on the PATH or in NFPM (docs/operating.md#release).
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundle } from '../bundle.mjs'
import { billOf } from './bill.mjs'
import { makePackages } from './packages.mjs'
import { ARCHITECTURES, root, stage } from './stage.mjs'

const PRODUCTS = ['runbook-agent', 'runbook-gateway']
/** Users verify signatures with this namespace of `ssh-keygen -Y`. */
const NAMESPACE = 'runbook-agent-release'
const target = path.join(root, 'dist-release')

const wanted = process.argv.length > 2 ? process.argv.slice(2) : PRODUCTS
if (wanted.some((name) => !PRODUCTS.includes(name))) fail(`the products are ${PRODUCTS.join(' and ')}`)
if (`${process.platform} ${process.arch}` !== 'linux x64') fail('this runs on Linux on x64 only')
if (run('git', 'status', '--porcelain').trim() !== '') fail('the checkout has changes: commit them first')
const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? run('git', 'log', '-1', '--format=%ct'))

rmSync(target, { recursive: true, force: true })
rmSync(path.join(root, 'dist'), { recursive: true, force: true })
mkdirSync(target)
run(process.execPath, 'scripts/build.mjs')
const work = mkdtempSync(path.join(tmpdir(), 'release-'))
try {
  for (const product of wanted) await make(product)
} finally {
  rmSync(work, { recursive: true })
}
const names = readdirSync(target).toSorted()
const sums = names.map((name) => `${sha256(path.join(target, name))}  ${name}\n`).join('')
writeFileSync(path.join(target, 'SHA256SUMS'), sums)
if (process.env.RELEASE_KEY === undefined)
  console.error('release: not signed, because RELEASE_KEY is not set')
else sign(path.join(target, 'SHA256SUMS'), process.env.RELEASE_KEY)
process.stdout.write(sums)

async function make(product) {
  const folder = path.join(work, product)
  const outside = await bundle(product, folder, { isReproducible: true })
  const { version, description } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const facts = { product, version, description, folder, seconds }
  for (const architecture of ARCHITECTURES) {
    const name = `${product}-${version}-linux-${architecture}`
    const tree = path.join(work, name)
    writeFileSync(path.join(target, `${name}.sbom.json`), await stage(facts, architecture, tree))
    makeTarball(name)
    makePackages(facts, architecture, { tree, work: path.join(work, `${name}.packages`), target })
    rmSync(tree, { recursive: true })
  }
  makeNpmPackage(facts, outside)
}

/** Owner, order and times do not depend on the machine. */
function makeTarball(name) {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', `--mtime=@${seconds}`]
  const archive = path.join(work, `${name}.tar`)
  run('tar', '--format=gnu', ...owner, '-C', work, '-cf', archive, name)
  run('gzip', '-9', '--no-name', archive)
  cpSync(`${archive}.gz`, path.join(target, `${name}.tar.gz`))
  rmSync(`${archive}.gz`)
}

/**
 * The chunks of the program have most packages already. The others are dependencies with exact versions, since users
 * of a package have no lockfile of ours.
 */
function makeNpmPackage({ product, version, folder, ...facts }, outside) {
  const at = path.join(work, `${product}.npm`)
  const isOwn = (file) => !path.relative(folder, file).startsWith('node_modules')
  cpSync(folder, at, { recursive: true, filter: isOwn })
  for (const name of ['CHANGELOG.md', 'SECURITY.md', 'README.md'])
    cpSync(path.join(root, name), path.join(at, name))
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const versionsOf = (kind) =>
    Object.fromEntries(Object.entries(manifest[kind]).filter(([name]) => outside.includes(name)))
  const changed = {
    ...manifest,
    files: readdirSync(at).filter((name) => name !== 'package.json'),
    dependencies: versionsOf('dependencies'),
    optionalDependencies: versionsOf('optionalDependencies'),
  }
  writeFileSync(path.join(at, 'package.json'), `${JSON.stringify(changed, null, 2)}\n`)
  run('npm', 'pack', at, '--ignore-scripts', '--pack-destination', target)
  const bill = billOf(folder, { name: product, version }, { seconds: facts.seconds })
  writeFileSync(path.join(target, `${product}-${version}-npm.sbom.json`), bill)
}

function sign(file, key) {
  const place = path.join(work, 'key')
  mkdirSync(work, { mode: 0o700 })
  try {
    writeFileSync(place, key.endsWith('\n') ? key : `${key}\n`, { mode: 0o600 })
    run('ssh-keygen', '-Y', 'sign', '-q', '-f', place, '-n', NAMESPACE, file)
  } finally {
    rmSync(work, { recursive: true })
  }
}

function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

function run(program, ...args) {
  return execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

function fail(why) {
  console.error(`release: ${why}`)
  process.exit(64)
}
