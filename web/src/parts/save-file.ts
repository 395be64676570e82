export function saveFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // Waits a minute, because the browser has then begun to read the address.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
