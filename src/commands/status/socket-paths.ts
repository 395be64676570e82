import { lstatSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SOCKET_NAME } from '../../operations/status-socket.ts'

const INSTANCE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Folders in which agents have `runbook-agent-<uid>`, or a folder beside it; systemd's units use the fourth. */
function bases(): string[] {
  const { RUNBOOK_AGENT_RUNTIME_DIR, RUNTIME_DIRECTORY } = process.env
  const named = [RUNBOOK_AGENT_RUNTIME_DIR, RUNTIME_DIRECTORY?.split(':')[0]]
  return [...named, '/dev/shm', '/run/runbook-agent', tmpdir()].filter((base) => base !== undefined)
}

/** The paths of the status sockets of this machine's agents that this user may ask. */
export function socketPaths(): string[] {
  const users = [...new Set(bases())].flatMap((base) =>
    list(base)
      .map((name) => path.join(base, name))
      .filter(isUserFolder),
  )
  return users.flatMap((folder) =>
    list(folder)
      .filter((name) => INSTANCE.test(name))
      .map((name) => path.join(folder, name, SOCKET_NAME)),
  )
}

/**
 * Whether a folder belongs to the user in its name: others can write to some of the places. Root sees all users'
 * folders.
 */
function isUserFolder(folder: string): boolean {
  const [, uid] = /^runbook-agent-(\d+)(?:-[A-Za-z0-9]{6})?$/.exec(path.basename(folder)) ?? []
  const self = process.geteuid?.() ?? 0
  if (uid === undefined || (self !== 0 && Number(uid) !== self)) return false
  const found = lstatSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === Number(uid)
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
