import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'

const source = resolve(import.meta.dirname, '../../../src')
const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  rewriteRelativeImportExtensions: true,
}

/** By their path; a file of tests translates the same sources for each of its processes. */
const translated = new Map<string, string>()

/** Copies folders of src/ to below `root` as JavaScript, for processes of their own: Node 20 runs no TypeScript. */
export function translate(root: string, folders: readonly string[]): void {
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  for (const folder of folders) {
    const names = readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' })
    for (const name of names.filter((one) => one.endsWith('.ts'))) {
      const file = join(root, folder, name.replace(/ts$/, 'js'))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, javascript(join(source, folder, name)))
    }
  }
}

function javascript(file: string): string {
  const known = translated.get(file)
  if (known !== undefined) return known
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions })
  translated.set(file, outputText)
  return outputText
}
