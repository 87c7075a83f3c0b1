/** A configuration to text. */
import { Document, isMap, isScalar, isSeq, visit } from 'yaml'
import type { Configuration } from '../../ipvs/index.js'

/** Reading it again gives the same. */
export function formatConfiguration(configuration: Configuration, format: 'yaml' | 'json'): string {
  if (format === 'json') return `${JSON.stringify(configuration, undefined, 2)}\n`
  const document = new Document(configuration, { aliasDuplicateObjects: false })
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || key.value !== 'realServers' || !isSeq(value)) return
      for (const item of value.items) if (isMap(item)) item.flow = true // a line each
    },
  })
  return document.toString({ lineWidth: 0 })
}
