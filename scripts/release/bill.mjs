// Makes the bill of materials of a folder with a program and its own Node, in the format CycloneDX.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * @param folder the product's folder
 * @param program name and version of the product
 * @param node version and SHA-256 of Node; undefined if the folder has none
 * @param page folders of the packages that are built into the page
 * @param seconds time of the bill, since 1970
 */
export function billOf(folder, program, { node, page = [], seconds }) {
  const packages = new Map()
  for (const place of [...packagesBelow(path.join(folder, 'node_modules')), ...page]) {
    const one = component(place)
    packages.set(one.purl, one)
  }
  const components = [...packages.values()].toSorted((a, b) => (a.purl < b.purl ? -1 : 1))
  if (node !== undefined) components.unshift(nodeItself(node))
  const bill = {
    metadata: {
      timestamp: new Date(seconds * 1000).toISOString(),
      component: { type: 'application', ...program },
    },
    components,
  }
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber: serialOf(bill), version: 1, ...bill }, null, 2)}\n`
}

function nodeItself({ version, sha256 }) {
  return {
    type: 'platform',
    name: 'node',
    version,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:generic/node@${version}`,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    licenses: [{ license: { name: 'Node.js' } }],
  }
}

function component(place) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8'))
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const licenses = typeof license === 'string' ? { licenses: [{ expression: license }] } : {}
  return { type: 'library', name, version, purl, 'bom-ref': purl, ...licenses }
}

/** Returns the folders of all packages, also of those in the node_modules of another package. */
function packagesBelow(modules) {
  if (!existsSync(modules)) return []
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => {
      const place = path.join(modules, name)
      if (name.startsWith('@')) return packagesBelow(place)
      return [place, ...packagesBelow(path.join(place, 'node_modules'))]
    })
}

/** A UUID made from the content, so that the same content has the same number. */
function serialOf(bill) {
  const hex = createHash('sha256').update(JSON.stringify(bill)).digest('hex')
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ]
  return `urn:uuid:${parts.join('-')}`
}
