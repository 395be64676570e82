import { afterEach } from 'vitest'

const owned: (AsyncDisposable | Disposable)[] = []

afterEach(async () => {
  for (const resource of owned.splice(0).reverse())
    if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]()
    else resource[Symbol.dispose]()
})

/** Given back when the test ends, the last one first. For what is made in a function of the test or in `beforeEach`. */
export function own<T extends AsyncDisposable | Disposable>(resource: T): T {
  owned.push(resource)
  return resource
}
