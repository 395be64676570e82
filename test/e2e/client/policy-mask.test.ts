import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Workplace } from '../../support/sites/workplace.ts'

const main = `${fileURLToPath(new URL('../../..', import.meta.url))}dist/main.js`

function mask(input: string, ...args: string[]) {
  const run = spawnSync(process.execPath, [main, 'policy', 'mask', ...args], { encoding: 'utf8', input })
  return { stdout: run.stdout, stderr: run.stderr, status: run.status }
}

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
  place.write('types.yaml', '- name: ORDER\n  regex: A\\d+\n- name: NAME\n  deny_list: [ann]\n')
  place.write('types.json', '[{"name":"ORDER","regex":"A\\\\d+","score":0.2}]')
  expect(mask('A17 Ann', '--custom', place.at('types.yaml')).stdout).toBe('<ORDER> <NAME>')
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
  expect(refused('--entities', 'PERSON,URL')).toContain('PERSON cannot be found by a pattern')
  expect(refused('--entities', 'SHOE_SIZE')).toContain('there is no type SHOE_SIZE')
  expect(refused('--threshold', '1.5')).toContain('--threshold: a number from 0 to 1 is expected')
  expect(refused('--form', 'x')).toContain('--form: tag or mask is expected')
  expect(refused('--custom', custom)).toContain(
    `--custom ${custom}: custom type X: error parsing regexp: invalid or unsupported Perl syntax`,
  )
})
