import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
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
    mkdirSync(join(root, folder), { recursive: true })
    for (const name of readdirSync(join(source, folder)).filter((one) => one.endsWith('.ts'))) {
      const { outputText } = ts.transpileModule(readFileSync(join(source, folder, name), 'utf8'), {
        compilerOptions,
      })
      writeFileSync(join(root, folder, name.replace(/ts$/, 'js')), outputText)
    }
  }
}
