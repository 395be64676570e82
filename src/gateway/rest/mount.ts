import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Contract } from '../../contract/contract.ts'
import type { Handlers } from '../handlers.ts'

type Handler = (asked: Pick<FastifyRequest, 'user'> & { readonly params: PathParams }) => unknown
type PathParams = Readonly<Record<string, string>>

/** Adds a route for each operation of the contract. The description of the interface lists them in this order. */
export function mount<C extends Contract>(app: FastifyInstance, contract: C, handlers: Handlers<C>): void {
  // The compiler has checked each pair; a loop over names cannot say so.
  const byName = handlers as unknown as Readonly<Record<string, Handler>>
  for (const [name, { method, path }] of Object.entries(contract))
    app.route<{ Params: PathParams }>({
      method,
      url: path,
      handler: ({ user, params }) => byName[name]?.({ user, params }),
    })
}
