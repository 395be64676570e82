import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { socketPaths } from '../../../src/commands/status.ts'

const uid = process.getuid?.() ?? 0
const instance = '0b1c2d3e-1111-2222-3333-444455556666'
let base: string

beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'sockets-'))
  process.env['RUNBOOK_AGENT_RUNTIME_DIR'] = base
})
afterEach(() => {
  delete process.env['RUNBOOK_AGENT_RUNTIME_DIR']
  rmSync(base, { recursive: true })
})

const found = () => socketPaths().filter((socket) => socket.startsWith(base))

describe('socketPaths', () => {
  it('finds the sockets of this user, in folders that are named as agents name them', () => {
    mkdirSync(path.join(base, `runbook-agent-${uid}`, instance), { recursive: true })
    mkdirSync(path.join(base, `runbook-agent-${uid}`, '\u001b]0;title\u0007'))
    mkdirSync(path.join(base, `runbook-agent-${uid}-a1B2c3`, instance), { recursive: true })
    mkdirSync(path.join(base, `runbook-agent-${uid}-other-thing`, instance), { recursive: true })
    expect(found().sort()).toEqual([
      path.join(base, `runbook-agent-${uid}-a1B2c3`, instance, 'status.sock'),
      path.join(base, `runbook-agent-${uid}`, instance, 'status.sock'),
    ])
  })

  it.skipIf(uid !== 0)('looks at no folder that is not of the user in its name (needs root)', () => {
    mkdirSync(path.join(base, 'runbook-agent-12345', instance), { recursive: true })
    mkdirSync(path.join(base, 'elsewhere', instance), { recursive: true })
    symlinkSync(path.join(base, 'elsewhere'), path.join(base, `runbook-agent-${uid}`))
    expect(found()).toEqual([])
    chownSync(path.join(base, 'runbook-agent-12345'), 12345, 12345)
    expect(found()).toHaveLength(1)
  })
})
