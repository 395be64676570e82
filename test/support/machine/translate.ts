import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'

const source = resolve(import.meta.dirname, '../../../src')
const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  rewriteRelativeImportExtensions: true,
}

/** Copies folders of src/ to below `root` as JavaScript, for processes of their own: Node 20 runs no TypeScript. */
export function translate(root: string, folders: readonly string[]): void {
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  for (const folder of folders) {
    const names = readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' })
    for (const name of names.filter((one) => one.endsWith('.ts'))) {
      const text = readFileSync(join(source, folder, name), 'utf8')
      const file = join(root, folder, name.replace(/ts$/, 'js'))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, ts.transpileModule(text, { compilerOptions }).outputText)
    }
  }
}
