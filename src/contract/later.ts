/**
 * Returns an object that calls `make` at its first use. A command uses few objects of the modules that it
 * loads, so most objects are never made.
 */
export function later<T extends object>(make: () => T): T {
  let made: T | undefined
  const object = (): T => (made ??= make())
  return new Proxy({} as T, {
    get: (_, key) => Reflect.get(object(), key) as unknown,
    has: (_, key) => Reflect.has(object(), key),
    ownKeys: () => Reflect.ownKeys(object()),
    getOwnPropertyDescriptor(_, key) {
      const property = Reflect.getOwnPropertyDescriptor(object(), key)
      return property && { ...property, configurable: true }
    },
  })
}
