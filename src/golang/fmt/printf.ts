import { FunctionFailure, MAX_RENDERED_BYTES } from '../template/errors.ts'
import { type ByteString, encodeRune, runeAt } from '../text/byte-string.ts'
import { formatValue, type Layout, PLAIN } from './format.ts'
import { integerOf, typeName, type Value } from './value.ts'

/** Does the same as Go's Sprint: adds a space between two operands if both are not strings. */
export function print(values: readonly Value[]): ByteString {
  return values
    .map((value, index) => {
      const separated = index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string'
      return (separated ? ' ' : '') + formatValue(value, 'v', PLAIN)
    })
    .join('')
}

/** Does the same as Go's Sprintln: adds spaces between all operands and a line break at the end. */
export function printLine(values: readonly Value[]): ByteString {
  return `${values.map((value) => formatValue(value, 'v', PLAIN)).join(' ')}\n`
}

/** Formats a value like an action `{{ }}`, with a visible text for an absent value. */
export function shown(value: Value): ByteString {
  return value === undefined ? '<no value>' : print([value])
}

/** Formats the operands of `html`, `js` and `urlquery` as one string. */
export function shownTogether(values: readonly Value[]): ByteString {
  return print(values.map((value) => value ?? '<no value>'))
}

/** Go's limit for a width, a precision and the number of an operand. */
const MAX_NUMBER = 1_000_000

/** Length of `[n]`. If the format has fewer characters left, Go ignores the `[`. */
const MIN_INDEX_CHARACTERS = 3

/**
 * Does the same as Go's Sprintf. Errors are texts in the result: `%!d(string=x)`, `%!d(MISSING)`,
 * `%!(EXTRA ...)`.
 */
export function printf(format: ByteString, values: readonly Value[]): ByteString {
  return new Formatting(format, values).run()
}

type Flags = { -readonly [Name in keyof Layout]: Layout[Name] }

class Formatting {
  readonly #format: ByteString
  readonly #values: readonly Value[]
  readonly #parts: ByteString[] = []
  #length = 0
  #at = 0
  /** Index of the next operand. */
  #operand = 0
  /** True if any verb has chosen its operand by a number, as in `%[2]d`. */
  #reordered = false
  #operandIsGood = true
  /** True if the part before this place is a valid `[n]`. */
  #afterIndex = false

  constructor(format: ByteString, values: readonly Value[]) {
    this.#format = format
    this.#values = values
  }

  run(): ByteString {
    for (;;) {
      const percent = this.#format.indexOf('%', this.#at)
      this.#write(this.#format.slice(this.#at, percent < 0 ? undefined : percent))
      if (percent < 0) break
      this.#at = percent + 1
      this.#verb()
    }
    if (!this.#reordered) this.#extraOperands()
    return this.#parts.join('')
  }

  #verb(): void {
    this.#operandIsGood = true
    const flags = this.#flags()
    this.#index()
    this.#width(flags)
    this.#precision(flags)
    if (!this.#afterIndex) this.#index()
    if (this.#at >= this.#format.length) this.#write('%!(NOVERB)')
    else this.#apply(this.#verbLetter(), flags)
  }

  #verbLetter(): ByteString {
    const { value, width } = runeAt(this.#format, this.#at)
    this.#at += width
    return encodeRune(value)
  }

  #apply(verb: ByteString, flags: Flags): void {
    if (verb === '%') this.#write('%')
    else if (!this.#operandIsGood) this.#write(`%!${verb}(BADINDEX)`)
    else if (this.#operand >= this.#values.length) this.#write(`%!${verb}(MISSING)`)
    else this.#write(formatValue(this.#values[this.#operand++], verb, layoutFor(verb, flags)))
  }

  #flags(): Flags {
    const flags: Flags = { ...PLAIN }
    for (; ; this.#at++) {
      switch (this.#format[this.#at]) {
        case '#':
          flags.sharp = true
          break
        case '0':
          flags.zero = true
          break
        case '+':
          flags.plus = true
          break
        case '-':
          flags.minus = true
          break
        case ' ':
          flags.space = true
          break
        default:
          return flags
      }
    }
  }

  #width(flags: Flags): void {
    if (this.#format[this.#at] !== '*') {
      flags.width = this.#number()
      if (this.#afterIndex && flags.width !== undefined) this.#operandIsGood = false
      return
    }
    const width = this.#starOperand()
    if (width === undefined) this.#write('%!(BADWIDTH)')
    else setWidth(flags, width)
  }

  #precision(flags: Flags): void {
    // As in Go, a point at the end of the format is not a precision but the verb.
    if (this.#format[this.#at] !== '.' || this.#at + 1 >= this.#format.length) return
    this.#at++
    if (this.#afterIndex) this.#operandIsGood = false
    this.#index()
    if (this.#format[this.#at] !== '*') {
      flags.precision = this.#number() ?? 0
      return
    }
    const precision = this.#starOperand()
    if (precision !== undefined && precision >= 0) flags.precision = precision
    else this.#write('%!(BADPREC)')
  }

  /** Returns the operand of a `*` if it is an integer within the limit. */
  #starOperand(): number | undefined {
    this.#at++
    this.#afterIndex = false
    if (this.#operand >= this.#values.length) return undefined
    const value = Number(integerOf(this.#values[this.#operand++]) ?? NaN)
    return Math.abs(value) <= MAX_NUMBER ? value : undefined
  }

  /** Reads digits. As in Go, a number above the limit makes the rest of the format invalid. */
  #number(): number | undefined {
    const { value, next } = readNumber(this.#format, this.#at, this.#format.length)
    this.#at = next
    return value
  }

  /** Reads `[3]`, which chooses the operand. */
  #index(): void {
    this.#afterIndex = false
    if (this.#format[this.#at] !== '[') return
    this.#reordered = true
    const close = this.#format.indexOf(']', this.#at + 1)
    const isTooShort = this.#format.length - this.#at < MIN_INDEX_CHARACTERS
    if (close < 0 || isTooShort) {
      this.#operandIsGood = false
      this.#at++
      return
    }
    const { value, next } = readNumber(this.#format, this.#at + 1, close)
    const isNumber = value !== undefined && next === close
    this.#at = close + 1
    this.#afterIndex = isNumber
    if (isNumber && value >= 1 && value <= this.#values.length) this.#operand = value - 1
    else this.#operandIsGood = false
  }

  #extraOperands(): void {
    const extra = this.#values.slice(this.#operand)
    if (extra.length === 0) return
    const shown = extra.map((value) =>
      value === undefined ? '<nil>' : `${typeName(value)}=${formatValue(value, 'v', PLAIN)}`,
    )
    this.#write(`%!(EXTRA ${shown.join(', ')})`)
  }

  /** Adds text to the result and checks its length: each verb can add a million spaces. */
  #write(part: ByteString): void {
    this.#length += part.length
    if (this.#length > MAX_RENDERED_BYTES) {
      throw new FunctionFailure(`the result is longer than ${MAX_RENDERED_BYTES} bytes`)
    }
    this.#parts.push(part)
  }
}

function setWidth(flags: Flags, width: number): void {
  flags.width = Math.abs(width)
  if (width >= 0) return
  flags.minus = true
  flags.zero = false
}

/** In `%v`, the flag `#` means Go's syntax, and `+` has no effect. Neither applies to parts of the value. */
function layoutFor(verb: ByteString, flags: Flags): Layout {
  if (verb !== 'v' && verb !== 'w') return flags
  return { ...flags, goSyntax: flags.sharp, sharp: false, plus: false }
}

function readNumber(
  text: ByteString,
  at: number,
  end: number,
): { readonly value: number | undefined; readonly next: number } {
  let value: number | undefined
  let next = at
  for (; next < end && isDigit(text.charCodeAt(next)); next++) {
    if ((value ?? 0) > MAX_NUMBER) return { value: undefined, next: end }
    value = (value ?? 0) * 10 + text.charCodeAt(next) - 0x30
  }
  return { value, next }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
