const owned: (AsyncDisposable | Disposable)[] = []

/** For what `beforeEach` or a function of a test makes: given back after the test, the last one first. */
export function own<T extends AsyncDisposable | Disposable>(resource: T): T {
  owned.push(resource)
  return resource
}

/** Called after each test, before it is looked at what the test has left. */
export async function giveBack(): Promise<void> {
  for (const resource of owned.splice(0).reverse())
    if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]()
    else resource[Symbol.dispose]()
}
