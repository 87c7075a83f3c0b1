/** Results as a table in Markdown. */

export interface Row {
  readonly what: string
  readonly where: string
  readonly ours: string
  readonly theirs?: string
  readonly ratio?: string
  readonly target?: string
  /** Whether the target is met. */
  readonly met?: boolean
}

const HEAD = ['', 'where', 'ts-ipvs', 'compared with', 'ratio', 'target', '']

export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, where, ours, theirs = '', ratio = '', target = '', met }) => [
    what,
    where,
    ours,
    theirs,
    ratio,
    target,
    met === undefined ? '' : met ? 'pass' : '**miss**',
  ])
  return [HEAD, HEAD.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |\n`).join('')
}
