import type { AnswerOf, Contract, ContractOperation, Params } from '../contract/contract.ts'
import type { GatewayUser } from './identity.ts'

/** A request that has passed the checks of its operation: who asks, and the parameters of its path. */
interface Asked<O extends ContractOperation> {
  readonly user: GatewayUser
  readonly params: Params<O>
}

/** A function for each operation of a contract. Rooms write them without knowing HTTP; `rest/mount.ts` serves them. */
export type Handlers<C extends Contract> = {
  readonly [Name in keyof C]: (asked: Asked<C[Name]>) => AnswerOf<C[Name]> | Promise<AnswerOf<C[Name]>>
}
