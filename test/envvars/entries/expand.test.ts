import { describe, expect, test } from 'vitest'
import { EnvvarError } from '../../../src/envvars/errors.ts'
import { expandArguments } from '../../../src/envvars/environment.ts'

const VARIABLES: ReadonlyMap<string, Buffer> = new Map(
  Object.entries({
    A: 'alpha',
    B: 'b b',
    EMPTY: '',
    'a b': 'spaced',
    '1': 'one',
    $: 'dollar',
    '*': 'star',
    é: 'accent',
    A_1: 'under',
    '-': 'dash',
    '{': 'brace',
    NEST: '$A ${B}',
    a$b: 'inner',
    ABC: 'abc',
    日本: 'nihon',
  }).map(([name, value]) => [name, Buffer.from(value)]),
)

/** Made with os.Expand of Go 1.26 over VARIABLES; `rejected` by comparing with the expansion where all are empty. */
const GOLDEN: readonly (readonly [argument: string, expanded: string, rejected: boolean])[] = [
  ['', '', false],
  ['plain', 'plain', false],
  ['$', '$', true],
  ['a$', 'a$', true],
  ['$A', 'alpha', false],
  ['${A}', 'alpha', false],
  ['x${A}y', 'xalphay', false],
  ['$Ay', '', true],
  ['$A-y', 'alpha-y', false],
  ['$A.y', 'alpha.y', false],
  ['${}', '', true],
  ['a${}b', 'ab', true],
  ['${', '', true],
  ['${A', 'A', true],
  ['x${A y', 'xA y', true],
  ['$$', 'dollar', false],
  ['$$A', 'dollarA', false],
  ['$$$', 'dollar$', false],
  ['$$$$A', 'dollardollarA', false],
  ['${a b}', 'spaced', false],
  ['$1', 'one', false],
  ['$1x', 'onex', false],
  ['$12', 'one2', false],
  ['${1}', 'one', false],
  ['${12}', '', true],
  ['$-', 'dash', false],
  ['$-x', 'dashx', false],
  ['${-}', 'dash', false],
  ['${*}', 'star', false],
  ['$*', 'star', false],
  ['$#', '', true],
  ['$@', '', true],
  ['$!', '', true],
  ['$?', '', true],
  ['${?}', '', true],
  ['$é', '$é', true],
  ['${é}', 'accent', false],
  ['é$A', 'éalpha', false],
  ['$A日本', 'alpha日本', false],
  ['${日本}', 'nihon', false],
  ['$日本', '$日本', true],
  ['$A$B', 'alphab b', false],
  ['$A$UNSET', 'alpha', false],
  ['$UNSET', '', true],
  ['$EMPTY', '', true],
  ['-d$UNSET', '-d', true],
  ['$UNSET$EMPTY', '', true],
  ['price$5', 'price', true],
  ['$ A', '$ A', true],
  ['$ ', '$ ', true],
  ['$.', '$.', true],
  ['$/x', '$/x', true],
  ['$A_1', 'under', false],
  ['$_', '', true],
  ['$A$', 'alpha$', false],
  ['a$ b', 'a$ b', true],
  ['${A}}', 'alpha}', false],
  ['${A}{B}', 'alpha{B}', false],
  ['${{A}}', '}', true],
  ['${{}', 'brace', false],
  ['$}', '$}', true],
  ['${ }', '', true],
  ['$NEST', '$A ${B}', false],
  ['${a$b}', 'inner', false],
  ['${A}$', 'alpha$', false],
  ['$\n', '$\n', true],
  ['mongodb://$A:$B@h/?x', 'mongodb://alpha:b b@h/?x', false],
  ['${A:-default}', '', true],
  ['\\$A', '\\alpha', false],
  ["'$A'", "'alpha'", false],
  ['$a', '', true],
  ['$(A)', '$(A)', true],
  ['$ABC', 'abc', false],
  ['--port=$A', '--port=alpha', false],
  ['${A}${', 'alpha', false],
  ['${}${A}', 'alpha', false],
]

const lookup = (name: string) => VARIABLES.get(name)
const expandOne = (argument: string) => expandArguments(['program', argument], lookup)[1]?.toString()

describe('expandArguments', () => {
  test.each(GOLDEN.filter(([, , rejected]) => !rejected))(
    'expands %j as Go does to %j',
    (argument, expanded) => {
      expect(expandOne(argument)).toBe(expanded)
    },
  )

  test.each(GOLDEN.filter(([, , rejected]) => rejected))('refuses %j: no variable adds to it', (argument) => {
    const text = `could not find environment variable for commands [${argument}]`
    expect(() => expandOne(argument)).toThrow(new EnvvarError(text))
  })

  test.each([['$UNSET'], ['$EMPTY'], ['-d$DB'], ['a$'], ['price$5']])(
    'refuses %s, as measured on the agent of hoop',
    (argument) => {
      expect(() => expandOne(argument)).toThrow(EnvvarError)
    },
  )

  test('accepts two variables of which only one is set', () => {
    expect(expandOne('$A$UNSET')).toBe('alpha')
  })

  test('names all arguments it cannot expand, and only those', () => {
    expect(() => expandArguments(['psql', '-h$HOST', '$A', '-U$USER', 'plain'], lookup)).toThrow(
      'could not find environment variable for commands [-h$HOST,-U$USER]',
    )
  })

  test('takes the program as it is', () => {
    expect(expandArguments(['$A', '$A'], lookup).map(String)).toEqual(['$A', 'alpha'])
  })

  test('does not expand what a value contains', () => {
    expect(expandOne('<$NEST>')).toBe('<$A ${B}>')
  })

  test('keeps the bytes of a value that is not UTF-8', () => {
    const raw = Buffer.from([0xff, 0xfe, 0x41])
    const argv = expandArguments(['p', 'é=$RAW!'], () => raw)
    expect(argv[1]).toEqual(Buffer.concat([Buffer.from('é='), raw, Buffer.from('!')]))
  })

  test('refuses a NUL in any argument, without showing the argument', () => {
    expect(() => expandArguments(['p', 'ok', 'secret\0'], lookup)).toThrow(
      new EnvvarError('argument 2 of the command contains a NUL byte'),
    )
    expect(() => expandArguments(['p\0'], lookup)).toThrow('argument 0 of the command contains a NUL byte')
    expect(() => expandArguments(['p', '$X'], () => Buffer.from('a\0b'))).toThrow(
      'argument 1 of the command contains a NUL byte',
    )
  })

  test('refuses an empty command line', () => {
    expect(() => expandArguments([], lookup)).toThrow('connection must be at least one argument')
  })

  test('takes linear time for an argument full of open braces', () => {
    const argument = '${'.repeat(500_000)
    expect(() => expandArguments(['p', argument], lookup)).toThrow(EnvvarError)
    expect(expandOne(`${argument}}$A`)).toBe('alpha')
  })
})
