import { expect, it } from 'vitest'
import { Site } from '../../support/sites/site.ts'

const file = 'versioned.runbook.sh'

it('ref_hash runs the file as of that commit of the branch, in full or shortened', async () => {
  await using site = await Site.start()
  const { books, rest } = site
  const first = books.commit({ [file]: 'echo first {{ .old | default "x" }}' })
  books.commit({ [file]: 'echo second' })
  const newest = await rest.runbook('bash', file)
  expect(newest.body).toMatchObject({ output: 'second\n', exit_code: 0 })
  for (const ref_hash of [first, first.slice(0, 10)]) {
    const old = await rest.runbook('bash', file, { ref_hash, parameters: { old: 'one' } })
    expect(old.body).toMatchObject({ output: 'first one\n', exit_code: 0 })
    expect((await rest.session(old.body.session_id)).labels['runbookCommit']).toBe(first)
  }
})

it('ref_hash is refused when it is no hash, unknown, of another branch, off the branch, or older than the file', async () => {
  await using site = await Site.start()
  const { books, rest } = site
  const before = books.git('rev-parse', 'HEAD').trim()
  const withdrawn = books.commit({ [file]: 'echo withdrawn' })
  // Run once, so that the gateway has it when it is taken off the branch.
  expect((await rest.runbook('bash', file)).body.output).toBe('withdrawn\n')
  books.git('reset', '--quiet', '--hard', before)
  books.commit({ [file]: 'echo reviewed' })
  const unreviewed = books.commitOn('other', { [file]: 'echo unreviewed' })
  const refusals = [
    ['other', 400, 'must be 7 to 64 hexadecimal digits'],
    ['HEAD~1', 400, 'must be 7 to 64 hexadecimal digits'],
    ['--help', 400, 'must be 7 to 64 hexadecimal digits'],
    ['0123456789abcdef0123456789abcdef01234567', 404, 'not found in repository books'],
    [unreviewed, 404, 'not found in repository books'],
    [withdrawn, 400, 'is not on the configured branch'],
    [before, 404, `runbook file ${file} not found on git repo`],
  ] as const
  for (const [ref_hash, status, message] of refusals) {
    const reply = await rest.runbook('bash', file, { ref_hash })
    expect([reply.status, reply.body.message]).toEqual([status, expect.stringContaining(message)])
  }
  expect((await rest.runbook('bash', file)).body.output).toBe('reviewed\n')
})
