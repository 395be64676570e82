import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import { checkRepository } from '../../src/commands/gateway/repository-check.ts'

test('a repository whose server never answers is only a warning, and its check leaves nothing', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'repository-check-'))
  vi.stubEnv('TMPDIR', folder)
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/rb.git`
    const finding = await checkRepository({ name: 'rb', url }, 1_000)
    expect(finding).toMatchObject({ level: 'warning', found: 'no paths within 1 s' })
    expect(readdirSync(folder)).toEqual([])
  } finally {
    server.close()
    for (const socket of sockets) socket.destroy()
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})

test('a repository without room for its temporary folder is only a warning', async () => {
  vi.stubEnv('TMPDIR', path.join(tmpdir(), 'not-there'))
  try {
    const finding = await checkRepository({ name: 'rb', url: 'https://127.0.0.1:9/rb.git' }, 1_000)
    expect(finding).toMatchObject({ level: 'warning' })
    expect(finding.found).toMatch(/^no temporary folder could be made: ENOENT/)
  } finally {
    vi.unstubAllEnvs()
  }
})
