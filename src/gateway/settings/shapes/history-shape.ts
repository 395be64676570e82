import * as v from 'valibot'
import { about, duration, map, size } from '../../../basics/settings/shapes.ts'

export const HistoryShape = map({
  retain: about('how long sessions are kept after their end', v.nullish(duration('1m', '36500d'), '30d')),
  'audit-retain': about(
    'how long entries of the audit log are kept',
    v.nullish(duration('1d', '36500d'), '400d'),
  ),
  size: about(
    'size of the history on the disk beyond which the oldest sessions are deleted',
    v.nullish(size('64MiB', '1048576GiB'), '10GiB'),
  ),
})

/** Limits for one connection, where those of `HistoryShape` are not right for it. */
export const KeptShape = map({
  retain: about(
    'how long its sessions are kept after their end; by default history.retain',
    v.nullish(duration('1m', '36500d')),
  ),
  size: about(
    'size of its sessions beyond which the oldest are deleted; by default as much as history.size leaves',
    v.nullish(size('1MiB', '1048576GiB')),
  ),
})
