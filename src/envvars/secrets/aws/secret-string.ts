import { randomUUID } from 'node:crypto'
import { isJsonObject, jsonKind, parseJson } from '../../../golang/text/json.ts'
import type { StoredSecret } from '../stores.ts'

/** A text in quotes, or a number outside of any. */
const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/**
 * The members of a secret that is a JSON object. A number is as it is written there: 5432, 12345678901234567890. hoop
 * prints 1000000 as 1e+06. What is no text is JSON, and null the empty text.
 */
export function membersOf(secret: string | undefined): StoredSecret {
  if (secret === undefined) return undeserialized('the secret is binary, a JSON object is needed')
  const { value, problem } = parseJson(secret)
  // A whole text ends elsewhere than a stream, in Go's words.
  if (problem !== undefined)
    return undeserialized(problem.endsWith('EOF') ? 'unexpected end of JSON input' : problem)
  if (value === null) return { members: new Map() }
  if (!isJsonObject(value))
    return undeserialized(
      `json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`,
    )
  return { members: withNumbersAsWritten(secret) }
}

function undeserialized(reason: string): StoredSecret {
  return { problem: `failed deserializing secret key/val, err=${reason}` }
}

/** Numbers become texts with a mark that no other text has, since JSON.parse would round them. */
function withNumbersAsWritten(secret: string): ReadonlyMap<string, string> {
  const mark = randomUUID()
  const marked = secret.replaceAll(TEXT_OR_NUMBER, (found) =>
    found.startsWith('"') ? found : `"${mark}${found}"`,
  )
  const number = new RegExp(`"${mark}([^"]*)"`, 'g')
  const members = JSON.parse(marked) as Readonly<Record<string, unknown>>
  return new Map(
    Object.entries(members).map(([name, value]) => {
      if (value === null) return [name, '']
      if (typeof value === 'string' && !value.startsWith(mark)) return [name, value]
      return [name, JSON.stringify(value).replaceAll(number, '$1')]
    }),
  )
}
