import { existsSync, lstatSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { printableJson, printableText } from '../../basics/text/printable.ts'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { TemplateError } from '../../template/runbook.ts'
import { lintTemplate, type LintFinding, type Language } from '../../template/lint/lint.ts'
import { pairProblems } from '../../template/lint/pairs.ts'
import { exitCodes, explain, Failure } from '../exit-codes.ts'
import { lintLists, type FindApprovals } from './lists.ts'

/** The gateway's limit for files of a repository, in bytes. */
const MAX_FILE_BYTES = 1_000_000
/** A folder with more entries is probably a whole disk. */
const MAX_ENTRIES = 100_000

export interface LintFlags {
  readonly json?: boolean
  /** Lint relies only on checks that hoop's gateway also makes. */
  readonly portable?: boolean
  /** Values that lint cannot judge also lead to exit code 65. */
  readonly strict?: boolean
  /** Settings of a gateway, whose rules for approvals the lists of values must not need. */
  readonly gateway?: string
}

/** Reads the settings of a gateway. @throws Failure */
export type LoadApprovals = (gatewayFile: string) => Promise<FindApprovals>

/** `line` is 0 if the file cannot be read as a template. */
interface Located extends Partial<LintFinding> {
  readonly file: string
  readonly line: number
  readonly problem: string
}

/**
 * Finds parameters that reach a script unquoted, values that become code, and values that lint cannot judge.
 * @throws Failure for a path that cannot be read
 */
export async function lintCommand(where: string, flags: LintFlags, load: LoadApprovals): Promise<number> {
  const approvals = flags.gateway === undefined ? undefined : await load(flags.gateway)
  const files = runbooksIn(where)
  const rules = { root: repositoryRoot(where), portable: flags.portable === true, approvals }
  const findings = files.flatMap((file) => lintFile(file, rules))
  if (flags.json === true) process.stdout.write(`${printableJson({ files: files.length, findings }, 2)}\n`)
  else process.stdout.write(printableText([...findings.map(described), summary(files, findings)].join('')))
  const counted = flags.strict === true ? findings : findings.filter(isCertain)
  return counted.length === 0 ? exitCodes.done : exitCodes.findings
}

function isCertain({ verdict }: Located): boolean {
  return verdict !== 'not judged'
}

function described({ file, line, column, action, problem, safe, verdict }: Located): string {
  if (action === undefined) return `${file}${line === 0 ? '' : `:${line}`}: ${problem}\n`
  if (verdict === 'not judged') return `${file}:${line}:${column ?? 1}: ${action}: not judged: ${problem}\n`
  if (safe === undefined) return `${file}:${line}:${column ?? 1}: ${action}: ${problem}\n`
  return `${file}:${line}:${column ?? 1}: {{ ${action} }}: ${problem}\n  safe: ${safe}\n`
}

function summary(files: readonly string[], findings: readonly Located[]): string {
  const count = files.length === 1 ? '1 runbook' : `${files.length} runbooks`
  const certain = findings.filter(isCertain).length
  const found = certain === 0 ? 'no finding' : `${certain} ${certain === 1 ? 'finding' : 'findings'}`
  if (findings.length > certain) return `${count}, ${found}, ${findings.length - certain} not judged\n`
  return certain > 0 ? `${count}, ${found}\n` : `${count}, no finding: no parameter can become code\n`
}

interface LintRules {
  /** Root of the repository. */
  readonly root: string
  readonly portable: boolean
  readonly approvals: FindApprovals | undefined
}

function lintFile(file: string, { root, portable, approvals }: LintRules): Located[] {
  try {
    const text = readRunbook(file)
    const own = path.relative(root, path.resolve(file)).split(path.sep).join('/')
    const ofPair = pairProblems(own, text, (named) => readOther(path.join(root, named)), portable)
    const ofLists = lintLists({ root, own, text }, { portable, approvals, read: readRunbook })
    const ofValues = lintTemplate(text, {
      language: languageOf(file, text),
      portable,
      isOtherShell: /\.(?:ksh|zsh)$/i.test(file) || /^#!.*(?:ksh|zsh)/.test(text),
    })
    return [...ofPair, ...ofLists, ...ofValues].map((finding) => ({ file, ...finding }))
  } catch (error) {
    if (!(error instanceof TemplateError) && !(error instanceof FileRefused)) throw error
    return [{ file, line: 0, problem: error.message }]
  }
}

/** @throws FileRefused */
function readRunbook(file: string): string {
  return decodeUtf8(readSmallFile(file, MAX_FILE_BYTES).bytes)
}

/** Returns undefined if the file cannot be read. */
function readOther(file: string): string | undefined {
  try {
    return readRunbook(file)
  } catch (error) {
    if (error instanceof FileRefused) return undefined
    throw error
  }
}

/** Paths in runbooks begin here: at the root of the repository, or outside of one, at the folder that is checked. */
function repositoryRoot(where: string): string {
  const start =
    lstatSync(where, { throwIfNoEntry: false })?.isDirectory() === true ? where : path.dirname(where)
  for (let folder = path.resolve(start); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, '.git'))) return folder
    if (folder === path.dirname(folder)) return path.resolve(start)
  }
}

/**
 * Returns the file itself, whatever its name, or the files of a folder that a gateway would list. Links in a
 * folder are not followed.
 */
function runbooksIn(where: string): string[] {
  try {
    if (!lstatSync(where).isDirectory()) return [where]
    return walk(where)
      .filter((file) => path.basename(file).includes('.runbook.'))
      .sort()
  } catch (error) {
    if (error instanceof Failure) throw error
    throw explain(error, `cannot read ${where}`, 'Give the path of a folder of runbooks, or of one runbook')
  }
}

function walk(root: string): string[] {
  const files: string[] = []
  const folders = [root]
  let entries = 0
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (++entries > MAX_ENTRIES)
        throw new Failure(`${root} has more than ${MAX_ENTRIES} files`, exitCodes.usage)
      const found = path.join(folder, entry.name)
      if (entry.isFile()) files.push(found)
      else if (entry.isDirectory() && entry.name !== '.git') folders.push(found)
    }
  }
  return files
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  sh: 'shell',
  bash: 'shell',
  dash: 'shell',
  ksh: 'shell',
  zsh: 'shell',
  sql: 'sql',
  psql: 'sql',
  pgsql: 'sql',
  mysql: 'sql',
  py: 'python',
}

/** Chooses the language by the file's extension, otherwise by its first line. */
function languageOf(file: string, text: string): Language | undefined {
  const byName = LANGUAGES[path.extname(file).slice(1).toLowerCase()]
  const [, program = ''] =
    /^#!.*?(bash|dash|ksh|zsh|python|\bsh)[\d.]*\s*$/m.exec(text.split('\n', 1)[0] ?? '') ?? []
  return byName ?? (program === 'python' ? 'python' : LANGUAGES[program])
}
