/** The code of a failed connection, `ECONNREFUSED`. Node tries all addresses of a name, and collects their errors. */
export function networkErrorCode(error: unknown): string {
  const { code, errors } = error as NodeJS.ErrnoException & {
    readonly errors?: readonly NodeJS.ErrnoException[]
  }
  return code ?? errors?.[0]?.code ?? ''
}
