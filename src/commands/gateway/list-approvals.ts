import { reviewRules, ruleFor } from '../../gateway/reviews/rules.ts'
import { isInFolder } from '../../gateway/runbooks/catalog.ts'
import { checkedSettings } from './local-connection.ts'

/**
 * Finds the connections that may run a runbook, but need approval for its list. Users whose group skips
 * approvals do not count.
 * @param config path of the gateway.yaml
 * @throws Failure for unusable settings
 */
export function listApprovals(config: string): (runbook: string, list: string) => readonly string[] {
  const { connections } = checkedSettings(config)
  return (runbook, list) =>
    connections
      .filter(({ access, runbooks }) => access.runbooks && isInFolder(runbook, runbooks?.path ?? ''))
      .filter(({ runbooks }) => runbooks !== undefined)
      .filter((connection) => ruleFor(reviewRules(connection, []), list) !== undefined)
      .map(({ name }) => name)
}
