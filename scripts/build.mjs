// Builds `dist` from `src` and `dist/web` from `web`. Removes files of earlier builds that have no source any
// more, because npm would pack them. All other files stay in place, because the program may be running from
// them.
//
// The sources are ES modules. `dist` is CommonJS, file by file, because Node loads CommonJS faster
// (docs/performance.md). `dist/package.json` declares this type.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

// `dist/compiled` was made from older sources. scripts/compile.mjs makes it again.
rmSync(path.join(root, 'dist/compiled'), { recursive: true, force: true })
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
// npm packs the file with this mode.
chmodSync(path.join(root, 'dist/main.js'), 0o755)
writeFileSync(path.join(root, 'dist/package.json'), '{ "type": "commonjs" }\n')
removeStale('.')
// Vite empties `dist/web` itself.
run('node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn')

function run(...command) {
  try {
    execFileSync(process.execPath, command, { cwd: root, stdio: 'inherit' })
  } catch (error) {
    // The command has already printed its error.
    process.exit(error.status ?? 1)
  }
}

function removeStale(folder) {
  for (const entry of readdirSync(path.join(root, 'dist', folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name)
    // Skip the state of the compiler and of scripts/setup.mjs, and the page, which has no source in `src`.
    if (name.startsWith('.') || name === 'package.json' || name === 'web') continue
    const source = entry.isDirectory() ? name : name.replace(/\.js$/, '.ts')
    if (!existsSync(path.join(root, 'src', source)))
      rmSync(path.join(root, 'dist', name), { recursive: true })
    else if (entry.isDirectory()) removeStale(name)
  }
}
