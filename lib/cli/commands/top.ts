export async function top(): Promise<number> {
  throw new Error('top: to be written')
}
