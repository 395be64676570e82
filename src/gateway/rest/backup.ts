import type { FastifyInstance } from 'fastify'
import { BackupError } from '../operating/backup/backup-error.ts'
import type { Backup, Backups } from '../operating/backup/backups.ts'
import { HttpError } from './http/http-error.ts'
import type { RestServices } from './services.ts'

/** When a caller that takes nothing counts as gone: the copy takes up room on the disk. */
const STALLED_MS = 60_000

export function backupRoutes(app: FastifyInstance, { backups, log }: RestServices): void {
  app.post('/api/backup', async (request, reply) => {
    const { socket } = request.raw
    const backup = await made(backups, { withKey: request.user.kind === 'person' })
    reply.raw.once('close', () => void backup.discard())
    socket.setTimeout(STALLED_MS, () => socket.destroy())
    backup.bytes.on('error', (error) => log.error({ error: error.message }, 'a backup broke off'))
    log.info({ user: request.user.name, bytes: backup.manifest.parts[0]?.bytes }, 'backup')
    const name = `runbook-${backup.manifest.made_at.replaceAll(/[-:]|\..*/g, '')}.backup`
    void reply.header('content-disposition', `attachment; filename=${name}`)
    // It may have gone while the copy was made.
    if (socket.destroyed) await backup.discard()
    return reply.type('application/gzip').send(backup.bytes)
  })
}

async function made(backups: Backups, what: Parameters<Backups['make']>[0]): Promise<Backup> {
  try {
    return await backups.make(what)
  } catch (error) {
    if (error instanceof BackupError) throw new HttpError('too-much-at-once', error.message)
    throw error
  }
}
