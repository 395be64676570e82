import { fetchPart } from '../parts/opened.tsx'
import { VIEWS } from '../views.ts'

/** Views that one opens from anywhere. Parts that only some of them need, such as the terminal's, are not fetched. */
const LIKELY = [
  ...[
    '/',
    '/sessions',
    '/sessions/:id',
    '/runbooks',
    '/runbooks/:repository/*',
    '/approvals',
    '/approvals/:id',
  ],
  ...['/batches', '/batches/:id', '/connections', '/schedules', '/agents'],
] as const satisfies readonly (keyof typeof VIEWS)[]

/** The first view and its lists come before what nobody has asked for yet. */
const FIRST_VIEW_MS = 2000

interface Line {
  readonly saveData?: boolean
  readonly effectiveType?: string
}

/**
 * Fetches the files of likely views one after another while the browser rests, so that a view opens without a wait.
 * Fetches nothing if the user pays for data, or if the line is very slow.
 */
export async function fetchAhead(signal: AbortSignal): Promise<void> {
  const { connection: line = {} } = navigator as { readonly connection?: Line }
  if (line.saveData === true || line.effectiveType?.endsWith('2g') === true) return
  await new Promise((resolve) => setTimeout(resolve, FIRST_VIEW_MS))
  for (const view of LIKELY) {
    await rest()
    if (signal.aborted) return
    await fetchPart(VIEWS[view])
  }
}

/** Settles when the browser has nothing to do. Safari cannot tell, so there it settles in the next task. */
function rest(): Promise<unknown> {
  return new Promise((resolve) => {
    if ('requestIdleCallback' in window) requestIdleCallback(resolve)
    else setTimeout(resolve)
  })
}
