// Makes deb and rpm of a staged tree, by nfpm.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './stage.mjs'

const scripts = path.join(root, 'scripts/release/package')
const GO_ARCH = { x64: 'amd64', arm64: 'arm64' }
/** `users` are the system users; the agent's unit and user are in both products. */
const PRODUCTS = {
  'runbook-agent': { units: ['runbook-agent'], other: 'runbook-gateway', deb: [], rpm: [] },
  'runbook-gateway': {
    units: ['runbook-agent', 'runbook-gateway'],
    other: 'runbook-agent',
    deb: ['git'],
    rpm: ['git-core'],
  },
}
/** Node needs libstdc++, and the units `kill` of procps. A minimal Debian has neither. */
const DEPENDS = {
  deb: ['libc6 (>= 2.34)', 'libstdc++6', 'procps', 'systemd'],
  rpm: ['glibc >= 2.34', 'libstdc++', 'procps-ng', 'systemd'],
}

/**
 * @param tree the staged tree, which becomes /usr
 * @param work an empty folder
 * @param target folder of the packages
 */
export function makePackages(
  { product, version, description, seconds },
  architecture,
  { tree, work, target },
) {
  const { units, other, ...more } = PRODUCTS[product]
  mkdirSync(work, { recursive: true })
  const written = (name, text) => {
    writeFileSync(path.join(work, name), text)
    return path.join(work, name)
  }
  const file = (src, dst, mode = 0o644) => ({ src, dst, file_info: { mode } })
  const unit = (name) => {
    const text = readFileSync(path.join(root, 'systemd', `${name}.service`), 'utf8')
    return text.replaceAll('/usr/bin/env node /opt/runbook-agent/dist/main.js', '/usr/bin/runbook-agent')
  }
  const users = units.map((name) => `u ${name} - "${name}" /var/lib/${name}\n`).join('')
  const config = {
    name: product,
    arch: GO_ARCH[architecture],
    platform: 'linux',
    version,
    release: '1',
    section: 'admin',
    maintainer: 'The authors of runbook-agent <root@localhost>',
    description,
    license: 'MIT',
    mtime: new Date(seconds * 1000).toISOString(),
    conflicts: [other],
    contents: [
      { src: path.join(tree, 'lib/runbook-agent'), dst: '/usr/lib/runbook-agent', type: 'tree' },
      file(path.join(tree, 'bin/runbook-agent'), '/usr/bin/runbook-agent', 0o755),
      ...filesBelow(path.join(tree, 'share')).map((name) =>
        file(path.join(tree, 'share', name), `/usr/share/${name}`),
      ),
      ...units.map((name) =>
        file(written(`${name}.service`, unit(name)), `/usr/lib/systemd/system/${name}.service`),
      ),
      file(written('sysusers.conf', users), '/usr/lib/sysusers.d/runbook-agent.conf'),
      // Only the folder: a settings file that the package owned would stop an upgrade with a question.
      { dst: '/etc/runbook-agent', type: 'dir', file_info: { mode: 0o755 } },
    ],
    scripts: {
      postinstall: path.join(scripts, 'postinst'),
      preremove: path.join(scripts, 'prerm'),
      postremove: path.join(scripts, 'postrm'),
    },
    overrides: Object.fromEntries(
      Object.entries(DEPENDS).map(([format, names]) => [format, { depends: [...names, ...more[format]] }]),
    ),
    // Without this, the name of the building machine is in the package.
    rpm: { buildhost: 'localhost' },
  }
  const nfpm = written('nfpm.json', JSON.stringify(config))
  for (const format of Object.keys(DEPENDS))
    execFileSync(process.env.NFPM ?? 'nfpm', ['package', '-f', nfpm, '-p', format, '-t', `${target}/`], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, SOURCE_DATE_EPOCH: String(seconds) },
    })
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted()
}
