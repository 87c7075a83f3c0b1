export async function completion(): Promise<number> {
  throw new Error('completion: to be written')
}
