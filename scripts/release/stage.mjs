// Makes the tree of a product for one architecture, as it is below /usr of a package and in a tarball: the program,
// its own Node, manual pages, completions and the bill of materials.
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { billOf } from './bill.mjs'
import { manuals } from './manuals.mjs'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
/** Node as npm's packages `node-linux-ARCHITECTURE` have it. Both have this version, and not every version. */
const NODE = {
  version: '24.22.3',
  integrity: {
    x64: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
    arm64: 'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  },
}
export const ARCHITECTURES = Object.keys(NODE.integrity)
/** Finds its own place, so that the tree can be anywhere and links to it work. */
const START = `#!/bin/sh
here=$(readlink -f -- "$0")
lib=\${here%/bin/*}/lib/runbook-agent
exec "$lib/node" "$lib/dist/main.js" "$@"
`
const SHELLS = {
  bash: 'bash-completion/completions/runbook-agent',
  zsh: 'zsh/vendor-completions/_runbook-agent',
  fish: 'fish/vendor_completions.d/runbook-agent.fish',
}
const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages

/**
 * @param product name, and `folder` with the product for this machine
 * @param at folder of the new tree
 */
export async function stage({ product, version, folder, seconds }, architecture, at) {
  const lib = path.join(at, 'lib/runbook-agent')
  cpSync(folder, lib, { recursive: true })
  exchangeNatives(lib, architecture)
  const node = fetchPackage(`node-linux-${architecture}`, NODE.version, NODE.integrity[architecture])
  cpSync(path.join(node, 'bin/node'), path.join(lib, 'node'))
  cpSync(path.join(node, 'LICENSE'), path.join(lib, 'LICENSE.node'))
  rmSync(node, { recursive: true })
  write(path.join(at, 'bin/runbook-agent'), START)
  const share = path.join(at, 'share')
  for (const [shell, file] of Object.entries(SHELLS)) write(path.join(share, file), completionFor(shell))
  for (const [name, text] of await pagesOf(product, version, seconds))
    write(path.join(share, 'man/man1', `${name}.gz`), gzipSync(text, { level: 9 }))
  const doc = path.join(share, 'doc', product)
  for (const name of ['LICENSE', 'CHANGELOG.md', 'SECURITY.md'])
    write(path.join(doc, name), readFileSync(path.join(root, name)))
  const sha256 = createHash('sha256')
    .update(readFileSync(path.join(lib, 'node')))
    .digest('hex')
  const contained = { node: { version: NODE.version, sha256 }, page: pageOf(product), seconds }
  const bill = billOf(lib, { name: product, version }, contained)
  write(path.join(doc, 'sbom.json'), bill)
  setModes(at, [path.join(at, 'bin/runbook-agent'), path.join(lib, 'node'), path.join(lib, 'dist/main.js')])
  return bill
}

/** Replaces packages with binaries of this machine by those of another architecture, from the lockfile. */
function exchangeNatives(lib, architecture) {
  const modules = path.join(lib, 'node_modules')
  const foreign = [
    ['@koromix/koffi-linux-', ''],
    ['@libsql/linux-', '-gnu'],
  ]
  for (const [before, after] of foreign) {
    const own = path.join(modules, `${before}${process.arch}${after}`)
    if (!existsSync(own)) continue
    // koffi's package also has a binary for musl, which has no place beside a Node for glibc.
    if (before.includes('koffi'))
      for (const name of readdirSync(own))
        if (name.startsWith('musl')) rmSync(path.join(own, name), { recursive: true })
    if (architecture === process.arch) continue
    rmSync(own, { recursive: true })
    const name = `${before}${architecture}${after}`
    const { version, integrity } = lock[`node_modules/${name}`]
    const fetched = fetchPackage(name, version, integrity)
    for (const file of readdirSync(fetched, { recursive: true }))
      if (/[.]node$|[.]js$|package[.]json$|^licen[cs]e/i.test(file) && !file.startsWith('musl'))
        cpSync(path.join(fetched, file), path.join(modules, name, file))
    rmSync(fetched, { recursive: true })
  }
  const prebuilds = path.join(modules, 'node-pty/prebuilds')
  rmSync(prebuilds, { recursive: true })
  const ours = path.join(`linux-${architecture}`, 'pty.node')
  cpSync(path.join(root, 'node_modules/node-pty/prebuilds', ours), path.join(prebuilds, ours))
}

/** Returns a new folder with the content of the package, after a check of its hash. */
function fetchPackage(name, version, integrity) {
  const folder = mkdtempSync(path.join(tmpdir(), 'release-'))
  execFileSync('npm', ['pack', `${name}@${version}`, '--pack-destination', folder], { stdio: 'ignore' })
  const [file] = readdirSync(folder)
  const hash = createHash('sha512')
    .update(readFileSync(path.join(folder, file)))
    .digest('base64')
  if (`sha512-${hash}` !== integrity)
    throw new Error(`release: ${name}@${version} has another hash than expected`)
  const content = path.join(folder, 'package')
  execFileSync('tar', ['xzf', path.join(folder, file), '-C', folder])
  return content
}

/** Returns the folders of the packages that the page contains: the page's dependencies, and theirs. */
function pageOf(product) {
  if (product !== 'runbook-gateway') return []
  const sources = readdirSync(path.join(root, 'web/src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /[.](ts|tsx|css)$/.test(entry.name))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
  const found = new Set()
  const add = (name) => {
    const place = path.join(root, 'node_modules', name)
    if (found.has(place) || !existsSync(place)) return
    found.add(place)
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8'))
    for (const next of Object.keys(dependencies)) add(next)
  }
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  for (const name of Object.keys(devDependencies))
    if (sources.some((text) => text.includes(`'${name}'`) || text.includes(`'${name}/`))) add(name)
  return [...found]
}

async function pagesOf(product, version, seconds) {
  const built = createRequire(path.join(root, 'dist/'))
  const { program } = built('./commands/program/program.js')
  const { product: described } = built(`./commands/program/${product.replace('runbook-', '')}-product.js`)
  return manuals(await program(undefined, described), version, seconds)
}

function completionFor(shell) {
  return execFileSync(process.execPath, [path.join(root, 'dist/main.js'), 'completion', shell])
}

function write(file, content) {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, content)
}

/** Modes do not depend on the umask of the build. */
function setModes(at, programs) {
  chmodSync(at, 0o755)
  for (const entry of readdirSync(at, { recursive: true, withFileTypes: true }))
    chmodSync(path.join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
  for (const file of programs) chmodSync(file, 0o755)
}
