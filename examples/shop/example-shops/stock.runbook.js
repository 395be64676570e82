// Check the stock of a shop
//
// Fails with exit code 1 if open orders need more than there is. The stock is made up.
{{ .least | default "5" | type "number" | pattern "^[0-9]{1,3}$" | description "warn below this number of pieces" | asenv "LEAST" }}
const { SHOP, LEAST, TEAPOTS } = process.env
const stock = { kettles: 41, mugs: 260, teapots: Number(TEAPOTS) }
console.log(`stock of ${SHOP}`)
for (const [article, pieces] of Object.entries(stock)) {
  console.log(`${article.padEnd(8)} ${String(pieces).padStart(4)}${pieces < Number(LEAST) ? '  low' : ''}`)
}
if (stock.teapots < 3) {
  console.error(`${SHOP}: 3 open orders need teapots, there is ${stock.teapots}`)
  process.exitCode = 1
}
