import { readGivenText, readStandardInput, LONGEST_FILE } from '../input/given-file.ts'
import { parse } from 'yaml'
import { exitCodes, Failure } from '../../failure.ts'

/**
 * Reads parameters from YAML or JSON, so that no password is an argument. `-` is standard input.
 * @throws Failure, exit code 64
 */
export async function readParameterFile(file: string): Promise<Map<string, string>> {
  const text =
    file === '-'
      ? await readStandardInput(LONGEST_FILE, '--param-file')
      : readGivenText(file, LONGEST_FILE, `--param-file ${file}`)
  const map = parseMap(text)
  if (map !== undefined) return map
  throw new Failure(
    `--param-file ${file}: a map of names to texts is expected, as YAML or JSON (name: value)`,
    exitCodes.usage,
  )
}

function parseMap(text: string): Map<string, string> | undefined {
  try {
    // The schema "failsafe" reads every value as text, also 007 and no.
    const value: unknown = parse(text, { schema: 'failsafe', maxAliasCount: 0 })
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const entries = Object.entries(value as Record<string, unknown>)
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
      ? new Map(entries)
      : undefined
  } catch {
    // The parser's message would quote the file.
    return undefined
  }
}
