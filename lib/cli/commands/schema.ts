export async function schema(): Promise<number> {
  throw new Error('schema: to be written')
}
