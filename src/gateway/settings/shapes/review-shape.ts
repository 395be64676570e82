import * as v from 'valibot'
import { about, duration, list, map, truth } from '../../../basics/settings/shapes.ts'
import { RunbookPattern } from '../locks.ts'
import { Count, Name } from './words.ts'

// The shape of reviews in gateway.yaml: who has to approve before something runs.

const groupNames = list(Name, 'group names')

const rule = {
  minimum: about('how many of the groups have to approve (1)', v.nullish(Count)),
  all: about('whether all of the groups have to approve', v.nullish(truth, 'false')),
  'force-groups': about('members may approve or reject alone, with force_review', v.nullish(groupNames, [])),
  'skip-groups': about('members run without a review', v.nullish(groupNames, [])),
  'self-approval': about('whether reviewers may approve what they ask for', v.nullish(truth, 'false')),
  expires: about(
    'lifetime of a request that nobody decides, or that nobody runs after the approval',
    v.nullish(duration('1m', '365d'), '7d'),
  ),
  'access-max-duration': about(
    'longest access to a terminal that may be requested',
    v.nullish(duration('1m', '48h'), '48h'),
  ),
}

const groups = about('one member of each group that is needed has to approve', groupNames)

/** The reviews of a connection. */
export const ReviewShape = map({
  groups: v.pipe(groups, v.minLength(1, 'at least one group is expected')),
  ...rule,
})

/** The reviews of some runbooks. Without groups they need no review. */
export const RunbookReviewShape = map({
  path: about('files of the rule; * stands for anything but a slash, ** for anything', RunbookPattern),
  groups,
  ...rule,
})

export type ReviewShape = v.InferOutput<typeof ReviewShape>
export type RunbookReviewShape = v.InferOutput<typeof RunbookReviewShape>
