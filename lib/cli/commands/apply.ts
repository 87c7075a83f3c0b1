export async function apply(): Promise<number> {
  throw new Error('apply: to be written')
}
export async function diff(): Promise<number> {
  throw new Error('diff: to be written')
}
