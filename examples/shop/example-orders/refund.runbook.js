// Refund an order
//
// Runs only after an approval, and refunds nothing: the order is made up.
{{ .order | required "which order is required" | pattern "^[0-9]{1,9}$" | description "number of the order" | asenv "ORDER" }}
{{ .amount | required "the amount is required" | pattern "^[0-9]{1,4}\\.[0-9]{2}$" | description "amount in EUR, like 250.00" | asenv "AMOUNT" }}
{{ .reason | default "damaged" | options "damaged" "late" "returned" | description "why" | asenv "REASON" }}
const { ORDER, AMOUNT, REASON } = process.env
console.log(`order ${ORDER}: would refund ${AMOUNT} EUR (${REASON})`)
console.log('This is an example: nothing was refunded.')
