import type { FastifyInstance } from 'fastify'
import { SettingsError } from '../../../basics/settings/problems.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { RepositoryError } from '../../refusals/runbook-errors.ts'
import { ReloadRefused } from '../../settings/reload/reload.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'

/** Reads gateway.yaml again, as SIGHUP does, and tells what has changed. */
export function reloadRoutes(app: FastifyInstance, { reload }: RestServices): void {
  app.post('/api/reload', async () => {
    try {
      const { changes, restart } = await reload.run()
      return { changes, restart_required: restart }
    } catch (error) {
      throw refusal(error as Error)
    }
  })
}

function refusal(error: Error): Error {
  const { message } = error
  if (error instanceof ReloadRefused) return new HttpError('gateway-stopped', hoopWords.gatewayShutdown)
  const isUnusable = error instanceof SettingsError || error instanceof RepositoryError
  return isUnusable ? new HttpError('invalid-settings', message) : error
}
