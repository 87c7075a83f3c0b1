export async function watch(): Promise<number> {
  throw new Error('watch: to be written')
}
