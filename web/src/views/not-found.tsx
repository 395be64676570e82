import { path } from '../parts/router.ts'
import { visible } from '../parts/visible.ts'

/** Of an address that none of the views has, for whoever opens it. */
export function NotFound() {
  return (
    <>
      <h1>Not found</h1>
      <p class="empty">
        There is nothing at <bdi>{visible(path.value)}</bdi>. <a href="/runbooks">Go to the runbooks.</a>
      </p>
    </>
  )
}
