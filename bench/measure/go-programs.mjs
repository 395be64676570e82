import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath, URL } from 'node:url'

const here = fileURLToPath(new URL('..', import.meta.url))

/**
 * Builds the driver and the peer. The first time, Go downloads their modules.
 * @param {string} folder for the programs
 * @returns {{ driver: string, peer: string } | undefined} undefined if Go is not installed
 */
export function buildGoPrograms(folder) {
  mkdirSync(folder)
  const { error, status, stderr } = spawnSync('go', ['build', '-o', folder, './driver', './peer-go'], {
    cwd: here,
    encoding: 'utf8',
    env: { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false' },
  })
  if (error?.code === 'ENOENT') return undefined
  if (status !== 0) throw new Error(`go build failed:\n${stderr}`)
  return { driver: path.join(folder, 'driver'), peer: path.join(folder, 'peer-go') }
}
