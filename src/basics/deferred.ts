export interface Deferred<T> {
  readonly promise: Promise<T>
  /** Settles the promise. Later calls do nothing. */
  readonly resolve: (value: T | PromiseLike<T>) => void
}

/** Returns a promise that is settled from outside. Node 20 has no `Promise.withResolvers`. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: Deferred<T>['resolve']
  const promise = new Promise<T>((settle) => (resolve = settle))
  return { promise, resolve }
}
