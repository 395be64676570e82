import { path } from '../parts/router.ts'
import { visible } from '../parts/visible.ts'

/** The view for addresses that no other view has. */
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
