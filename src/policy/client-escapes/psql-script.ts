import type { CallersVariables } from './client.ts'

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

// Latin-1: one character per byte. For psql a carriage return ends a comment, so it is allowed only at the end of a
// line. The only other control character allowed is a tab.
const COMMENT = /^[ \t]*(?:--[\t\x20-\x7e\x80-\xff]*)?\r?\n$/
/** Commands with plain words that set a variable, or how results look. psql expands nothing in them. */
const SETTING = /^[ \t]*\\(?:getenv|set|pset|timing|x)(?:[ \t]+[A-Za-z0-9_.]+)*[ \t]*\r?\n$/
const GETENV = /^([ \t]*\\getenv[ \t]+[A-Za-z0-9_.]+[ \t]+)([A-Za-z0-9_.]+)([ \t]*\r?\n)$/

/**
 * The script with `\restrict` before the first line that does more than set something: from there on psql refuses every
 * backslash command. Lines before it stay the same, except that `\getenv` gets the new name of a caller's variable.
 */
export function restrict(script: Buffer, key: string, variables: CallersVariables): Buffer {
  const start = script.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
  const settings: string[] = []
  let at = start
  for (;;) {
    const end = script.indexOf(0x0a, at) + 1
    const line = script.toString('latin1', at, end)
    if (end === 0 || !(COMMENT.test(line) || SETTING.test(line))) break
    settings.push(withVariable(line, variables))
    at = end
  }
  const head = Buffer.from(`${settings.join('')}\\restrict ${key}\n`, 'latin1')
  return Buffer.concat([head, script.subarray(at)])
}

function withVariable(line: string, variables: CallersVariables): string {
  return line.replace(
    GETENV,
    (_, before: string, name: string, after: string) => `${before}${variables.hand(name) ?? name}${after}`,
  )
}
