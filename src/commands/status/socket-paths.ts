import { lstatSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SOCKET_NAME } from '../../operations/status-socket.ts'

const INSTANCE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Agents have `runbook-agent-<uid>` in one of these, or beside that; systemd's units in the fourth. */
function bases(): string[] {
  const { RUNBOOK_AGENT_RUNTIME_DIR, RUNTIME_DIRECTORY } = process.env
  const named = [RUNBOOK_AGENT_RUNTIME_DIR, RUNTIME_DIRECTORY?.split(':')[0]]
  return [...named, '/dev/shm', '/run/runbook-agent', tmpdir()].filter((base) => base !== undefined)
}

/** Where the status sockets of this machine's agents are, as far as this user may look. */
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

/** Some places are open to all, so a folder has to belong to the user in its name. Only root looks into others'. */
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
