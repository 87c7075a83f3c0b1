export function manPage() {
  return ''
}
