// Revenue by day and shop
//
// Prints a table, which the page shows as a chart, too. The numbers are made up.
{{ .days | default "14" | type "number" | pattern "^([1-9]|[1-5][0-9]|60)$" | description "how many days, 1 to 60" | asenv "DAYS" }}
const shops = ['Berlin', 'Lisbon', 'Oslo', 'Vienna']
const days = Number(process.env.DAYS)
console.log(['day', ...shops].join('\t'))
for (let ago = days; ago >= 1; ago--) {
  const day = new Date(Date.now() - ago * 86_400_000)
  const isWeekend = day.getUTCDay() % 6 === 0
  const revenue = shops.map((_, shop) => {
    const wave = Math.sin((day.getUTCDate() + shop * 5) / 3) * 260
    return Math.round((1400 - shop * 240 + wave) * (isWeekend ? 1.5 : 1))
  })
  console.log([day.toISOString().slice(0, 10), ...revenue].join('\t'))
}
