import { GOALS } from './goals.mjs'
import { percentile } from '../samples.mjs'

const OTHERS = ['before', 'other node']

/**
 * Returns the verdict of each goal whose figures were measured. A ratio is the median of the rounds' ratios, because
 * other load of the machine affects both values of a round. `sure` means that every round has the same verdict.
 * @param {Record<string, Record<string, number[]>>} figures figure, contestant, a value a round
 */
export function verdicts(figures) {
  return GOALS.flatMap((goal) => {
    const ours = figures[goal.figure]?.ours
    const theirs = figures[goal.theirs ?? goal.figure]?.[goal.peer]
    if (ours === undefined || (goal.peer !== undefined && theirs === undefined)) return []
    const ratios = theirs === undefined ? undefined : ratiosOf(ours, theirs)
    return [
      {
        ...goal,
        ours: spreadOf(ours),
        ...(theirs && { theirs: spreadOf(theirs), ratio: spreadOf(ratios) }),
        beside: besides(figures[goal.figure]),
        ...judged(goal, ratios ?? ours),
      },
    ]
  })
}

/** Returns our ratios to the program of another checkout, and to our program on another version of Node. */
function besides({ ours, ...others }) {
  // A ratio to 0 does not exist, for example if a value did not grow.
  const taken = OTHERS.filter((name) => others[name]?.every((value) => value > 0))
  return Object.fromEntries(taken.map((name) => [name, spreadOf(ratiosOf(ours, others[name]))]))
}

function judged({ atLeast, atMost }, values) {
  if (atLeast === undefined && atMost === undefined) return {}
  const met = (value) => value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity)
  const reached = met(percentile(values, 50))
  return { met: reached, sure: values.every((value) => met(value) === reached) }
}

function ratiosOf(ours, theirs) {
  return ours.slice(0, theirs.length).map((value, round) => value / theirs[round])
}

/** @param {readonly number[]} values */
function spreadOf(values) {
  return { median: percentile(values, 50), min: Math.min(...values), max: Math.max(...values) }
}
