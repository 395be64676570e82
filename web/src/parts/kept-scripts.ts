/** Beginning of the keys under which the browser keeps drafts and saved scripts. */
export const SCRIPTS = 'runbook-page-script:'

/** Removes the drafts and saved scripts of all users of this browser. */
export function forgetKeptScripts(): void {
  for (const name of Object.keys(localStorage)) if (name.startsWith(SCRIPTS)) localStorage.removeItem(name)
}
