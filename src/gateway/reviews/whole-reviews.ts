import { tableOfLongValues } from '../store/long-values.ts'

/**
 * Longer reviews are stored twice: short in the list of reviews, and whole in a table of its own. Arguments,
 * names of variables and comments may have half a megabyte together, and a list has a thousand reviews.
 */
export const LISTED_REVIEW_BYTES = 4096
/** Maximum length of a text in a short review. */
const TEXT_BYTES = 512

/** Returns SQL of the path of a text that is left out, or of a path that no review has. */
const tooLong = (record: string, path: string) =>
  `CASE WHEN octet_length(${record} -> '${path}') > ${TEXT_BYTES} THEN '${path}' ELSE '$.none' END`

/** Returns SQL of the form in which a review is listed. A short form has `isShort`. */
const listed = (record: string) => `CASE WHEN octet_length(${record}) <= ${LISTED_REVIEW_BYTES} THEN ${record}
  ELSE json_remove(json_replace(
    json_set(${record}, '$.isShort', json('true'), '$.shown.clientArgs', json('[]'), '$.shown.envVars', json('[]'),
      '$.groups', (SELECT json_group_array(json_remove(value, '$.comment')) FROM json_each(${record}, '$.groups'))),
    '$.batch', json_set(json_extract(${record}, '$.batch'), '$.waves', json('[]'), '$.connections',
      (SELECT sum(json_array_length(value)) FROM json_each(${record}, '$.batch.waves')))),
    ${['$.rejectionReason', '$.held', '$.runbook.title'].map((path) => tooLong(record, path)).join()},
    '$.shown.marks') END`

/** SQL of the listed form of a record that is a parameter. */
export const LISTED_PARAMETER = `(SELECT ${listed('written')} FROM (SELECT ? AS written))`

/** SQL of a review as it was written. The table of reviews is `r`. */
export const WHOLE_RECORD =
  'coalesce((SELECT w.record FROM whole_reviews w WHERE w.session = r.session), r.record)'

export const VERSION_29 = tableOfLongValues({
  ...{ table: 'reviews', key: 'session', column: 'record', to: 'whole_reviews' },
  ...{ bytes: LISTED_REVIEW_BYTES, rest: listed('record') },
})
