export default function RunbookDialog() {
  return null
}
