/**
 * Makes control characters in a line of JSON visible, so that text from a gateway cannot move the cursor of whoever
 * reads the log on a terminal. Line breaks and tabs stay: stack traces have them.
 */
export function escapeControls(json: string): string {
  return json
    .replaceAll(/\\(\\|[bfr]|u00[01][0-9a-f])/g, (escape) => (escape === '\\\\' ? escape : `\\${escape}`))
    .replaceAll(/[\x7f-\x9f]/g, (raw) => `\\\\u00${raw.charCodeAt(0).toString(16)}`)
}
