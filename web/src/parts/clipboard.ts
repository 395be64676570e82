/** Browsers allow copying only for pages over HTTPS or from this machine. */
export async function copyText(text: string): Promise<void> {
  if (!window.isSecureContext)
    throw new Error('the browser allows copying over HTTPS only. Download the content instead')
  await navigator.clipboard.writeText(text)
}
