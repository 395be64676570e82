import { RequestRefused } from '../../refusals/request-refused.ts'

/** A user, or somebody at an address, changes more than the audit log takes of one. Nothing has changed. */
export class TooMuchToAudit extends RequestRefused {
  override readonly name = 'TooMuchToAudit'

  constructor(name: string) {
    super('too-much-at-once', `${name} has changed too much in ten minutes: try again later`)
  }
}
