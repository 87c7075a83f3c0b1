export async function doctor(): Promise<number> {
  throw new Error('doctor: to be written')
}
