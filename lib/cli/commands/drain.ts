export async function drain(): Promise<number> {
  throw new Error('drain: to be written')
}
