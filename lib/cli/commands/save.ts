export async function save(): Promise<number> {
  throw new Error('save: to be written')
}
