// `npm run site`: starts the filled site of the tests (test/support/filled-site). Node 20 runs no TypeScript,
// so esbuild makes one file first.
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
/** Lies as deep as the folders in test/support, because files there find `dist` by their own place. */
const outfile = path.join(root, 'node_modules/.cache/site/run.mjs')

await build({
  ...{ entryPoints: [path.join(root, 'test/support/filled-site/run.ts')], outfile },
  ...{
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  },
})
await import(pathToFileURL(outfile).href)
