import { type Trace, trace } from '../netlink/trace.js'
import {
  addressAttributes,
  addressHeader,
  linkAttributes,
  linkHeader,
  message,
  routeAttributes,
  routeHeader,
  ruleAttributes,
  ruleHeader,
} from './wire.js'

const TABLES = [
  { first: message.newLink, name: 'Link', header: linkHeader, attributes: linkAttributes },
  { first: message.newAddress, name: 'Address', header: addressHeader, attributes: addressAttributes },
  { first: message.newRoute, name: 'Route', header: routeHeader, attributes: routeAttributes },
  { first: message.newRule, name: 'Rule', header: ruleHeader, attributes: ruleAttributes },
]
const VERBS = ['new', 'delete', 'get', 'set']

export const routeTrace: Trace = trace((reader, { type, payload, end }) => {
  const table = TABLES.find(({ first }) => type >> 2 === first >> 2)
  if (!table) return undefined
  const { name, header, attributes } = table
  return {
    name: `${VERBS[type & 3]}${name}`,
    attributes: { ...header.read(reader, payload), ...attributes.decode(reader, payload + header.size, end) },
  }
})
