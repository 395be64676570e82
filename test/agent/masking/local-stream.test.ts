import { expect, it } from 'vitest'
import { LocalStream } from '../../../src/agent/masking/session-masking.ts'
import { MaskingResult, MaskingStopped } from '../../../src/agent/masking/masking-result.ts'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { EVERYTHING } from '../../../src/policy/masking/rules.ts'

/** Each `a` looks through the rest of its line. */
const BACK_AND_FORTH = { name: 'SLOW', regex: 'a.*b|a', denyList: [], score: 1 }
const LINE = Buffer.from(`${'a'.repeat(2000)}\n`)

/** No window may take any time. */
function stream(isStrict: boolean) {
  const told: string[] = []
  const result = new MaskingResult(isStrict, (error) => told.push(error))
  const masking = new Masking({ ...EVERYTHING, entities: [], custom: [BACK_AND_FORTH] })
  return { stream: new LocalStream(masking, result, { count: 0 }, 0), result, told }
}

const GAVE_UP = 'the local engine gave up on a part of the output, it was more than 0 s of work'

it('best effort: output for which a regex takes too long passes, and after the third time all of it, which is said', async () => {
  const { stream: local, result, told } = stream(false)
  for (let n = 0; n < 3; n++) expect(await local.push(LINE)).toEqual(LINE)
  // Nothing of these is looked at.
  expect([local.push(LINE), local.push(Buffer.from('rest')), local.end()].map(String)).toEqual([
    String(LINE),
    'rest',
    '',
  ])
  const rest = 'the local engine has given up on the output often enough: the rest of it passes'
  expect(told).toEqual([GAVE_UP, rest])
  expect(result.takeLast()?.errors).toEqual([GAVE_UP, rest])
})

it('strict: output for which a regex takes too long ends the session, and nothing of it leaves', async () => {
  const error: unknown = await Promise.resolve(stream(true).stream.push(LINE)).catch(
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(MaskingStopped)
  expect((error as Error).message).toBe(`the output has to be masked, and could not be: ${GAVE_UP}`)
})
