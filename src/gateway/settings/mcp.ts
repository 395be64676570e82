import * as v from 'valibot'
import { about, choice, list, map } from '../../basics/settings/shapes.ts'
import { RunbookPattern } from './locks.ts'
import { Name, type PathPattern } from './words.ts'

/** What a runbook does to the systems that it reaches, as the operator says. The gateway cannot check this. */
export type McpEffect = 'read' | 'change' | 'destroy'

/** Runbooks that machines of some groups may run as tools. */
export const McpShape = map({
  groups: about(
    'groups of machines that get these runbooks as tools',
    v.pipe(list(Name, 'group names'), v.minLength(1, 'at least one group is expected')),
  ),
  runbooks: about(
    'the runbooks, by path; the first path that matches decides',
    v.pipe(
      list(
        map({
          path: about(
            'path of the runbooks; * stands for any characters except a slash, ** for any characters',
            RunbookPattern,
          ),
          effect: about(
            'what the runbooks do: read changes nothing, change changes something, destroy may lose something; clients ask people by this word',
            choice({ read: 'read', change: 'change', destroy: 'destroy' }),
          ),
        }),
        'runbooks',
      ),
      v.minLength(1, 'at least one runbook is expected'),
    ),
  ),
})

export type McpShape = v.InferOutput<typeof McpShape>

export interface McpOffer {
  readonly groups: readonly string[]
  readonly runbooks: readonly { readonly path: PathPattern; readonly effect: McpEffect }[]
}
