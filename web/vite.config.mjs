import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig } from 'vite'

/** Folder of the built page. scripts/bundle.mjs sets another folder. */
const DIST = path.resolve(import.meta.dirname, '../dist/web')

/** Modules that `src/first.ts` and `src/main.tsx` need. */
let first, page

export default defineConfig({
  root: import.meta.dirname,
  // The page's files are below `/`, whatever path the browser opens.
  base: '/',
  build: {
    outDir: DIST,
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy has only 'self', so styles must not contain `data:` addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // On a slow machine the build would warn about the time of our own plugins.
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: { codeSplitting: { groups: [{ name: nameOfFile, includeDependenciesRecursively: false }] } },
    },
  },
  plugins: [firstAtOnce(), licenses(), precompressed()],
})

/**
 * Puts what index.html needs into two files, `src/first.ts` with what that needs, and the rest, and into a third one
 * what lists share. A file for each set of views that share a module would be a dozen small files, of which a browser
 * asks for six at once (HTTP/1.1).
 */
function nameOfFile(id, graph) {
  first ??= reached(graph, 'src/first.ts')
  page ??= reached(graph, 'src/main.tsx')
  if (first.has(id)) return 'first'
  if (page.has(id)) return 'page'
  return OF_LISTS.test(id) ? 'lists' : null
}

/** What the longest lists share, and is small. */
const OF_LISTS =
  /\/web\/src\/(?:parts\/(?:lists|kept|form-dialog|filters)|views\/(?:runbooks\/recorded|sessions\/place|script\/kept))[^?]*\.tsx?$/

/** Modules that this one imports when it is loaded. */
function reached(graph, file) {
  const found = new Set([path.join(import.meta.dirname, file)])
  for (const id of found)
    for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) found.add(imported)
  return found
}

/** Lets `src/first.ts` run as soon as it is there. Without `async`, it would wait for the style sheet. */
function firstAtOnce() {
  return {
    name: 'first-at-once',
    transformIndexHtml: {
      order: 'post',
      handler: (html) =>
        html.replace(/<script type="module"(?= crossorigin src="\/assets\/first-)/, '$& async'),
    },
  }
}

/** Writes licenses.txt with the licence of every package whose code is in the page. */
function licenses() {
  return {
    name: 'licenses',
    generateBundle(_, bundle) {
      const ids = Object.values(bundle).flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
      const folders = ids
        .map((id) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1])
        .filter(Boolean)
      const source = [...new Set(folders)]
        .sort()
        .map(licenseIn)
        .join(`\n${'-'.repeat(80)}\n\n`)
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source })
    },
  }
}

function licenseIn(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  const text =
    file === undefined
      ? 'The package has no file with its text.'
      : readFileSync(path.join(folder, file), 'utf8')
  return `${name} ${version} (${license})\n\n${text.trim()}\n`
}

/** Writes a .br and a .gz file for each text file, so that the gateway does not compress while it serves. */
function precompressed() {
  return {
    name: 'precompressed',
    writeBundle({ dir = DIST }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(html|js|css|svg|json|webmanifest)$/.test(name)) continue
        const file = path.join(dir, name)
        const bytes = readFileSync(file)
        writeFileSync(`${file}.br`, brotliCompressSync(bytes))
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
      }
    },
  }
}
