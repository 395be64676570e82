import * as v from 'valibot'
import { duration, size } from '../../../basics/settings/kinds.ts'
import { about, map } from '../../../basics/settings/shapes.ts'

export const HistoryShape = map({
  retain: about('sessions that ended longer ago are deleted', v.nullish(duration('1m', '36500d'), '30d')),
  'audit-retain': about(
    'entries of the audit log that are older are removed',
    v.nullish(duration('1d', '36500d'), '400d'),
  ),
  size: about('what the history may take up on the disk', v.nullish(size('64MiB', '1048576GiB'), '10GiB')),
})

/** Of one connection, where the limits of `HistoryShape` are not right for it. */
export const KeptShape = map({
  retain: about(
    'its sessions that ended longer ago are deleted; by default history.retain',
    v.nullish(duration('1m', '36500d')),
  ),
  size: about(
    'what its sessions may take up before the oldest are deleted; by default as much as there is',
    v.nullish(size('1MiB', '1048576GiB')),
  ),
})
