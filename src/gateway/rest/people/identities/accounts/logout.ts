import type { FastifyInstance } from 'fastify'
import type { RestServices } from '../../../services.ts'

/** Ends the sign-in whose token asks. Other tokens stay: others may use them, too. */
export function logoutRoute(app: FastifyInstance, { tokens }: RestServices): void {
  app.post('/api/logout', ({ user, token }) => {
    const isEnded = token.kind === 'sign-in'
    if (isEnded) tokens.revoke(token.id, user.name)
    return { ended: isEnded }
  })
}
