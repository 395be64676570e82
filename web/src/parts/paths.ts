// The addresses of views. Names may have any characters, including slashes.

const part = encodeURIComponent

export function runbookPath(repository: string, file: string): string {
  return `/runbooks/${part(repository)}/${file.split('/').map(part).join('/')}`
}

/** Returns the address of the form that requests a runbook after its first one. */
export function continuePath(repository: string, file: string, first: string): string {
  return `${runbookPath(repository, file)}?first=${part(first)}`
}

export function sessionPath(id: string): string {
  return `/sessions/${part(id)}`
}

export function diffPath(first: string, second: string): string {
  return `/sessions/${part(first)}/diff/${part(second)}`
}

export function approvalPath(id: string): string {
  return `/approvals/${part(id)}`
}

export function batchPath(id: string): string {
  return `/batches/${part(id)}`
}

export function scriptPath(connection: string): string {
  return `/run?connection=${part(connection)}`
}

export function terminalPath(connection: string): string {
  return `/connections/${part(connection)}/terminal`
}

export function userPath(name: string): string {
  return `/users/${part(name)}`
}

/** Returns the address of the access table for one user or group. */
export function accessOf(user: string): string {
  return `/access?user=${part(user)}`
}

export function sessionsOf(connection: string): string {
  return `/sessions?connection=${part(connection)}`
}

export function runsOf(file: string): string {
  return `/sessions?runbook=${part(file)}`
}

/** Returns a short name for a runbook's file: `refund-order` for `support/refund-order.runbook.sh`. */
export function shortName(file: string): string {
  return splitPath(file).name.replace(/\.runbook(\.[^.]*)?$/, '')
}

/** Returns the last part of a runbook's path, and the folder before it. */
export function splitPath(file: string): { folder: string; name: string } {
  const slash = file.lastIndexOf('/')
  return { folder: slash < 0 ? '' : file.slice(0, slash), name: file.slice(slash + 1) }
}
