// Builds `dist` from `src` and `dist/web` from `web`, and removes what an earlier build left there and no source makes
// any more: npm would pack it. The program may be running from there, so everything else stays in its place.
//
// The sources are ES modules, `dist` is CommonJS, file by file: Node loads that in less time
// (docs/performance.md). Its package.json says so to Node.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

// It was made from other sources. scripts/compile.mjs makes it anew.
rmSync(path.join(root, 'dist/compiled'), { recursive: true, force: true })
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
// npm packs it with the mode that it has.
chmodSync(path.join(root, 'dist/main.js'), 0o755)
writeFileSync(path.join(root, 'dist/package.json'), '{ "type": "commonjs" }\n')
removeStale('.')
// It empties its folder by itself.
run('node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn')

function run(...command) {
  try {
    execFileSync(process.execPath, command, { cwd: root, stdio: 'inherit' })
  } catch (error) {
    // It has said why.
    process.exit(error.status ?? 1)
  }
}

function removeStale(folder) {
  for (const entry of readdirSync(path.join(root, 'dist', folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name)
    // State of the compiler and of scripts/setup.mjs; the page, which has no source in `src`.
    if (name.startsWith('.') || name === 'package.json' || name === 'web') continue
    const source = entry.isDirectory() ? name : name.replace(/\.js$/, '.ts')
    if (!existsSync(path.join(root, 'src', source)))
      rmSync(path.join(root, 'dist', name), { recursive: true })
    else if (entry.isDirectory()) removeStale(name)
  }
}
