/** @param {string} content */
export function svg(width, height, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">
<rect width="${width}" height="${height}" fill="#fff"/>
${content}
</svg>
`
}

export function text(x, y, words, { size = 11, anchor = 'start', fill = '#222' } = {}) {
  const safe = String(words).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${at(x)}" y="${at(y)}" font-size="${size}" text-anchor="${anchor}" fill="${fill}">${safe}</text>`
}

export function bar(x, y, width, height, fill) {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${fill}"/>`
}

/** @param {readonly [number, number][]} points */
export function line(points, stroke, width = 1.5) {
  const list = points.map(([x, y]) => `${at(x)},${at(y)}`).join(' ')
  return `<polyline points="${list}" fill="none" stroke="${stroke}" stroke-width="${width}"/>`
}

function at(value) {
  return Number(value.toFixed(1))
}
