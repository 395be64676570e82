// Writes the bill of materials of the program to stdout, in the format CycloneDX:
//
//   node scripts/sbom.mjs > sbom.json
//
// `npm sbom --omit=dev` is not enough, because it leaves out packages that a dev dependency also needs, for
// example yaml and commander. So npm reads a copy of package.json without dev dependencies, in which the
// packages of the page are dependencies.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const temporary = mkdtempSync(path.join(tmpdir(), 'sbom-'))
// npm uses the folder's name as the name of the component.
const folder = path.join(temporary, 'runbook-agent')

try {
  mkdirSync(folder)
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(path.join(root, file), path.join(folder, file))
  const ofPage = packagesOfPage()
  npm('pkg', 'delete', 'devDependencies')
  npm('pkg', 'set', ...ofPage.map(([name, version]) => `dependencies.${name}=${version}`))
  // Also removes the dev dependencies from the lockfile. All versions stay the same, and the registry is not
  // used.
  npm('install', '--package-lock-only', '--offline', '--ignore-scripts')
  const bill = npm('sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only')
  process.stdout.write(bill)
} finally {
  rmSync(temporary, { recursive: true })
}

/** Returns the dev dependencies that the sources of the page import, with their versions. */
function packagesOfPage() {
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const sources = readdirSync(path.join(root, 'web/src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /[.](ts|tsx|css)$/.test(entry.name))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
  const imports = (text, name) =>
    ['from ', 'import ', 'import('].some((word) =>
      ["'", '/'].some((end) => text.includes(`${word}'${name}${end}`)),
    )
  return Object.entries(devDependencies).filter(([name]) => sources.some((text) => imports(text, name)))
}

function npm(...args) {
  return execFileSync('npm', args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 ** 2,
  })
}
