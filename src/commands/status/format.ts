const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Bytes for people, of three digits or so: `1.5 MiB`, `700 MiB`. */
export function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const count = bytes / 1024 ** power
  return `${power > 0 && count < 10 ? count.toFixed(1) : Math.round(count)} ${UNITS[power] ?? ''}`
}

/** The two largest units: `3d 4h`. */
export function durationText(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2)
  return shown.map(([count, unit]) => `${count}${unit}`).join(' ')
}
