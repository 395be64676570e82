// Writes the bill of materials of the program, CycloneDX, to stdout:
//
//   node scripts/sbom.mjs > sbom.json
//
// `npm sbom --omit=dev` is not enough: it leaves out every package that some package of development needs as well, yaml
// and commander among them. So npm is asked about a copy that knows of no development, and where what is built into the
// page counts as what the program needs.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const temporary = mkdtempSync(path.join(tmpdir(), 'sbom-'))
// npm takes the name of the component from the folder.
const folder = path.join(temporary, 'runbook-agent')

try {
  mkdirSync(folder)
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(path.join(root, file), path.join(folder, file))
  const ofPage = packagesOfPage()
  npm('pkg', 'delete', 'devDependencies')
  npm('pkg', 'set', ...ofPage.map(([name, version]) => `dependencies.${name}=${version}`))
  // Takes them out of the lockfile too; everything else stays at its version, and nothing is asked of the registry.
  npm('install', '--package-lock-only', '--offline', '--ignore-scripts')
  const bill = npm('sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only')
  process.stdout.write(bill)
} finally {
  rmSync(temporary, { recursive: true })
}

/** Those of development that its sources import, with their versions. */
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
