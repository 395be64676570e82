import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runProgram } from '../../support/sites/program.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const line = (cursor: number) =>
  `${JSON.stringify({ id: `s${cursor}`, note: 'ä', cursor: String(cursor) })}\n`
const ALL = [1, 2, 3, 4, 5].map(line)

let rest: ScriptedRest
let place: Workplace
beforeEach(async () => {
  rest = await ScriptedRest.start()
  place = new Workplace()
  rest.on('GET /api/sessions/export', ({ url }, response) => {
    const after = Number(new URL(url, rest.url).searchParams.get('after') ?? 0)
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const text = ALL.slice(after).join('')
    if (after >= 2) return void response.end(text)
    // It breaks off in the third line, behind a whole one.
    response.write(text.slice(0, ALL.slice(0, 2).join('').length + 10), () => response.destroy())
  })
})
afterEach(async () => {
  await rest[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const sessionExport = (...args: string[]) =>
  runProgram(place, ['sessions', 'export', ...args], { HOOP_APIURL: rest.url, HOOP_TOKEN: 'a.user.token' })

describe('sessions export', () => {
  it('goes on where an export has broken off, and the file is that of a whole one', async () => {
    const file = place.at('sessions.jsonl')
    const broken = await sessionExport('--user', 'ann', '--output', file)
    expect([broken.code, broken.stdout]).toEqual([69, ''])
    expect(broken.stderr).toMatch(
      /the export stopped after cursor 2: continue with --after 2, .*--resume .*\n.*cannot export sessions: .*broke off/s,
    )
    expect(readFileSync(file, 'utf8')).toBe(ALL.slice(0, 2).join(''))
    // As if it had been killed in a line.
    writeFileSync(file, ALL.slice(0, 2).join('') + (ALL[2] ?? '').slice(0, 5))
    expect(await sessionExport('--user', 'ann', '--output', file, '--resume')).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(readFileSync(file, 'utf8')).toBe(ALL.join(''))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(rest.received.map(({ url }) => url)).toEqual([
      '/api/sessions/export?user=ann',
      '/api/sessions/export?user=ann&after=2',
    ])
  })

  it('writes to stdout, and over no file that is there or is none of its own', async () => {
    expect(await sessionExport('--after', '3')).toMatchObject({ code: 0, stdout: ALL.slice(3).join('') })
    const file = place.at('mine.txt')
    writeFileSync(file, 'mine\nnot cut')
    expect(await sessionExport('--output', file)).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/exists already/) as string,
    })
    expect(await sessionExport('--output', file, '--resume')).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/is not an export of sessions/) as string,
    })
    expect(readFileSync(file, 'utf8')).toBe('mine\nnot cut')
  })

  it('says what is wrong with its flags, and what a gateway lacks', async () => {
    expect(await sessionExport('--resume')).toMatchObject({ code: 64 })
    expect(await sessionExport('--after', 'x')).toMatchObject({ code: 64 })
    expect(await sessionExport('--since', '1h', '--until', '2h')).toMatchObject({ code: 64 })
    rest.on('GET /api/sessions/export', json(404, { message: '404 page not found' }))
    expect(await sessionExport()).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(/has no exports of sessions: /) as string,
    })
  })
})
