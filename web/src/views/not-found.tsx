import { Icon } from '../parts/icon.tsx'
import { Empty } from '../parts/messages.tsx'
import { path } from '../parts/router.ts'
import { visible } from '../parts/visible.ts'

export function NotFound() {
  return (
    <>
      <h1>Not found</h1>
      <Empty
        icon="help"
        title={
          <>
            No page has the address <bdi>{visible(path.value)}</bdi>.
          </>
        }
        actions={
          <>
            <a class="button is-primary" href="/">
              <Icon name="home" />
              Go home
            </a>
            <a class="button" href="/runbooks">
              Look at the runbooks
            </a>
          </>
        }
      >
        The address may be mistyped, or its content was removed.
      </Empty>
    </>
  )
}
