/** What stands in a table: a head, and lines in braces. */
export const block = (head: string, lines: readonly string[]): string =>
  [`\t${head} {`, ...lines.map(line => `\t\t${line}`), '\t}'].join('\n')
