import { pipeline } from 'node:stream/promises'
import { readAll } from '../../basics/files/small-file.ts'
import { readStructuredFile } from '../../basics/settings/tree.ts'
import { printableJson } from '../../basics/text/printable.ts'
import { MaskedStream } from '../../policy/masking/masked-stream.ts'
import { Masking, typeAdvice } from '../../policy/masking/masking.ts'
import { REFINEMENTS, type Refinement } from '../../policy/masking/recognizers/table.ts'
import type { Replacement } from '../../policy/masking/replacement.ts'
import { decodeCustomTypes, EVERYTHING } from '../../policy/masking/rules.ts'
import { PolicyError } from '../../policy/policy-error.ts'
import { Failure } from '../exit-codes.ts'
import { ANSWERS, POLICY_FILE_BYTES, readingPolicy } from './check.ts'

/** The maximum size in bytes for `--json`, which needs the whole text in memory. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024

export interface MaskFlags {
  readonly entities?: string
  readonly threshold?: string
  readonly custom?: string
  readonly form: 'tag' | 'mask'
  readonly refine?: string
  readonly json?: boolean
}

/** @throws Failure, exit code 2 */
export async function maskCommand(flags: MaskFlags): Promise<void> {
  const masking = maskingOf(flags)
  if (flags.json === true) await printFindings(masking)
  else
    await pipeline(process.stdin, (text: AsyncIterable<Buffer>) => masked(masking, text), process.stdout, {
      end: false,
    })
}

async function* masked(masking: Masking, text: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stream = new MaskedStream(masking)
  for await (const piece of text) yield await stream.push(piece)
  yield await stream.end()
}

async function printFindings(masking: Masking): Promise<void> {
  const tooLong = () => refusal(`standard input is longer than ${MAX_TEXT_BYTES} bytes: remove --json`)
  const text = await readAll(process.stdin as AsyncIterable<Buffer>, MAX_TEXT_BYTES, tooLong)
  const findings = masking.find(text).map(({ type, start, end, score }) => ({ type, start, end, score }))
  process.stdout.write(`${printableJson({ findings, text: masking.mask(text).toString('utf8') })}\n`)
}

function maskingOf(flags: MaskFlags): Masking {
  const masking = refusing(flags.custom, () => {
    const custom = flags.custom === undefined ? [] : decodeCustomTypes(readCustom(flags.custom))
    const threshold = flags.threshold === undefined ? undefined : thresholdOf(flags.threshold)
    const [replacement, refine] = [replacementOf(flags.form), refinementsOf(flags.refine)]
    return new Masking({
      ...EVERYTHING,
      entities: names(flags.entities),
      custom,
      threshold,
      replacement,
      refine,
    })
  })
  const { needModel, unknown } = masking.unserved
  if (unknown.length > 0) {
    const [first = ''] = unknown
    throw refusal(`--entities: unknown type ${unknown.join(', ')}: ${typeAdvice(first)}`)
  }
  if (needModel.length === 0) return masking
  throw refusal(
    `--entities: no pattern can find ${needModel.join(', ')}. This needs a language model, such as Presidio's`,
  )
}

function readCustom(file: string): unknown {
  return readingPolicy(file, () => readStructuredFile(file, POLICY_FILE_BYTES)).value
}

function refusing<Result>(custom: string | undefined, make: () => Result): Result {
  try {
    return make()
  } catch (error) {
    throw error instanceof PolicyError ? refusal(`--custom ${custom ?? ''}: ${error.message}`) : error
  }
}

function names(list: string | undefined): string[] | undefined {
  return list
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function thresholdOf(text: string): number {
  const threshold = Number(text)
  if (text.trim() !== '' && threshold >= 0 && threshold <= 1) return threshold
  throw refusal('--threshold: the value must be a number from 0 to 1')
}

function replacementOf(form: MaskFlags['form']): Replacement {
  return form === 'tag' ? { form } : { form, character: '#' }
}

function refinementsOf(list: string | undefined): Refinement[] {
  const asked = names(list) ?? []
  const known = REFINEMENTS.filter((name) => asked.includes(name))
  if (asked.every((name) => known.some((one) => one === name))) return known
  throw refusal(`--refine: only ${REFINEMENTS.join(', ')} are accepted`)
}

function refusal(message: string): Failure {
  return new Failure(message, ANSWERS.none)
}
