import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { main } from '../../../support/sites/program.ts'
import { Workplace } from '../../../support/sites/workplace.ts'

function mask(input: string | Buffer, ...args: string[]) {
  using place = new Workplace()
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, 'policy', 'mask', ...args], {
    ...{ cwd: place.path, env: place.env, input },
    encoding: 'utf8',
  })
  return { stdout, stderr, status }
}

interface Vector {
  readonly id: string
  readonly kind: string
  readonly input: string
  readonly entities: readonly string[] | null
  readonly threshold: number
  readonly allow_list?: readonly string[]
  readonly custom?: unknown
  readonly findings: readonly { type: string; start: number; end: number; score: number }[]
  readonly replaced: string
}

const file = new URL('../../../fixtures/vectors/masking.json', import.meta.url)
/** The command knows no texts that are never masked. */
const vectors = (JSON.parse(readFileSync(file, 'utf8')) as Vector[]).filter(
  ({ allow_list: allowed }) => allowed === undefined,
)
const kinds = new Set<string>()
/** A start of the program takes long: the first of each kind, and whatever is unusual. */
const driven = vectors.filter(
  ({ kind, entities, custom }) =>
    entities === null || custom !== undefined || kinds.size < kinds.add(kind).size,
)

test.each(driven.map((vector) => [vector.id, vector] as const))(
  'policy mask --json answers as the reference: %s',
  (_, { input, entities, threshold, custom, findings, replaced }) => {
    using place = new Workplace()
    const args = ['--json', '--threshold', `${threshold}`]
    if (entities !== null) args.push('--entities', entities.join(','))
    if (custom !== undefined) args.push('--custom', place.write('custom.json', JSON.stringify(custom)))
    const { stdout, stderr, status } = mask(input, ...args)
    expect([stderr, status]).toEqual(['', 0])
    expect(JSON.parse(stdout)).toEqual({
      findings: findings.map(({ type, start, end, score }) => ({
        ...{ type, start, end },
        score: expect.closeTo(score, 9) as number,
      })),
      text: replaced,
    })
  },
)

test('policy mask prints standard input masked, with the types, the form and the least score that are asked for', () => {
  const text = 'mail ann@example.com\none two bob@example.com 10.1.2.3'
  expect(mask(text)).toEqual({
    stdout: 'mail <EMAIL_ADDRESS>\none two <EMAIL_ADDRESS> <IP_ADDRESS>',
    stderr: '',
    status: 0,
  })
  expect(mask(text, '--entities', 'EMAIL_ADDRESS', '--threshold', '0.8', '--form', 'mask').stdout).toBe(
    'mail ###############\none two bob@example.com 10.1.2.3',
  )
  expect(mask('::1', '--refine', 'ipv6').stdout).toBe('<IP_ADDRESS>')
})

test('policy mask --json says what it found, in bytes and in order', () => {
  const { stdout, status } = mask(
    'é ann@example.com 10.1.2.3',
    '--json',
    '--entities',
    'EMAIL_ADDRESS,IP_ADDRESS',
  )
  expect([JSON.parse(stdout), status]).toEqual([
    {
      findings: [
        { type: 'IP_ADDRESS', start: 19, end: 27, score: 0.6 },
        { type: 'EMAIL_ADDRESS', start: 3, end: 18, score: 0.5 },
      ],
      text: 'é <EMAIL_ADDRESS> <IP_ADDRESS>',
    },
    0,
  ])
})

test('policy mask takes own types from a file, JSON or YAML', () => {
  using place = new Workplace()
  place.write('types.yaml', '- name: ORDER\n  regex: A\\d+\n- name: NAME\n  deny_list: [ann]\n  score: 0.6\n')
  place.write('types.json', '[{"name":"ORDER","regex":"A\\\\d+","score":0.2}]')
  expect(mask('A17 Ann', '--custom', place.at('types.yaml')).stdout).toBe('<ORDER> <NAME>')
  expect(mask('A17 Ann', '--custom', place.at('types.yaml'), '--threshold', '0.7').stdout).toBe('<ORDER> Ann')
  expect(mask('A17 Ann', '--custom', place.at('types.json'), '--threshold', '0.5').stdout).toBe('A17 Ann')
})

test('policy mask refuses with exit code 2 what it cannot do', () => {
  using place = new Workplace()
  place.write('types.json', '[{"name":"X","regex":"a(?!b)"}]')
  const custom = place.at('types.json')
  const refused = (...args: string[]) => {
    const { stderr, stdout, status } = mask('text', ...args)
    expect([stdout, status]).toEqual(['', 2])
    return stderr
  }
  expect(refused('--entities', 'PERSON,URL')).toContain('no pattern can find PERSON')
  expect(refused('--entities', 'EMAIL')).toMatch(
    /unknown type EMAIL: did you mean EMAIL_ADDRESS\? The types are .*CREDIT_CARD/,
  )
  expect(refused('--threshold', '1.5')).toContain('--threshold: the value must be a number from 0 to 1')
  expect(refused('--form', 'x')).toContain("argument 'x' is invalid. Allowed choices are tag, mask.")
  expect(refused('--custom', custom)).toContain(
    `--custom ${custom}: custom type X: error parsing regexp: invalid or unsupported Perl syntax`,
  )
})
