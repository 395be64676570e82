// Builds `dist` from `src`, and removes what an earlier build left there and no source makes any more: npm would pack
// it. The program may be running from there, so everything else stays in its place.
//
// The sources are ES modules, `dist` is CommonJS, file by file: Node loads that in less time
// (docs/performance.md). Its package.json says so to Node.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

try {
  const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']
  execFileSync(process.execPath, compiler, { cwd: root, stdio: 'inherit' })
} catch (error) {
  // The compiler has said why.
  process.exit(error.status ?? 1)
}
// npm packs it with the mode that it has.
chmodSync(path.join(root, 'dist/main.js'), 0o755)
writeFileSync(path.join(root, 'dist/package.json'), '{ "type": "commonjs" }\n')
removeStale('.')

function removeStale(folder) {
  for (const entry of readdirSync(path.join(root, 'dist', folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name)
    // State of the compiler and of scripts/setup.mjs.
    if (name.startsWith('.') || name === 'package.json') continue
    const source = entry.isDirectory() ? name : name.replace(/\.js$/, '.ts')
    if (!existsSync(path.join(root, 'src', source)))
      rmSync(path.join(root, 'dist', name), { recursive: true })
    else if (entry.isDirectory()) removeStale(name)
  }
}
