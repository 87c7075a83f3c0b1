/** rtnetlink in the memory kernel (net/core/rtnetlink.c, rtnetlink_rcv_msg): which message does what, dumps, and who may. */
import { AF_INET, AF_INET6 } from '../../netlink/address.js'
import type { MessageReader } from '../../netlink/buffer.js'
import { endMessage, type Message, NLM_F_DUMP, NLM_F_MULTI } from '../../netlink/message.js'
import { addressHeader, linkAttributes, linkHeader, message, routeAttributes, routeHeader, ruleHeader } from '../../route/wire.js'
import { ENODEV, ENOENT, EOPNOTSUPP, EPERM, Errno } from '../errno.js'
import { beginReply, each, type KernelSocket, type Receiver, type Request } from '../netlink.js'
import { deleteAddress, newAddress, putAddress, startAddresses } from './addresses.js'
import { deleteLink, linkOf, newLink, putLink, startLinks } from './links.js'
import { answerLookup } from './lookup.js'
import { deleteRoute, newRoute, putRoute } from './routes.js'
import { deleteRule, newRule, putRule, startRules } from './rules.js'
import { messageOf, type Put, type Route, type RouteOptions, State } from './state.js'

/** Types come in fours: new, delete, get, set. */
const GET = 2
const KINDS = {
  link: message.newLink >> 2,
  address: message.newAddress >> 2,
  route: message.newRoute >> 2,
  rule: message.newRule >> 2,
}

export class Rtnetlink {
  readonly #state: State
  readonly #permitted: boolean

  /** @param sockets of this protocol: those that have joined a group are told of changes */
  constructor(options: RouteOptions, sockets: ReadonlySet<KernelSocket>, permitted: boolean) {
    this.#permitted = permitted
    this.#state = new State(options, sockets)
    startRules(this.#state)
    startLinks(this.#state)
    startAddresses(this.#state)
  }

  readonly receive: Receiver = each(request => {
    const { type } = request.message
    if ((type & 3) === GET) return this.#get(request)
    if (!this.#permitted) throw new Errno(EPERM)
    this.#change(request)
  })

  #change({ reader, message: { type, flags, payload, end }, report }: Request): void {
    const state = this.#state
    switch (type) {
      case message.newLink:
      case message.setLink:
        return newLink(state, reader, payload, end, type, flags, report)
      case message.deleteLink:
        return deleteLink(state, reader, payload, end)
      case message.newAddress:
        return newAddress(state, reader, payload, end, flags, report)
      case message.deleteAddress:
        return deleteAddress(state, reader, payload, end, report)
      case message.newRoute:
        return newRoute(state, reader, payload, end, flags, report)
      case message.deleteRoute:
        return deleteRoute(state, reader, payload, end)
      case message.newRule:
        return newRule(state, reader, payload, end, flags, report)
      case message.deleteRule:
        return deleteRule(state, reader, payload, end)
      default:
        throw new Errno(EOPNOTSUPP)
    }
  }

  #get({ socket, reader, message: request }: Request): void {
    const { type, flags, payload, end, sequence } = request
    if ((flags & NLM_F_DUMP) !== 0) return startDump(socket, type - GET, sequence, this.#entries(reader, request))
    if (type === message.getLink) {
      const { index } = linkHeader.read(reader, payload)
      const link = linkOf(this.#state, index, linkAttributes.decode(reader, payload + linkHeader.size, end) ?? {})
      if (!link) throw new Errno(ENODEV)
      return socket.deliver(messageOf(socket.portId, message.newLink, 0, sequence, putLink(this.#state, link)))
    }
    if (type !== message.getRoute) throw new Errno(EOPNOTSUPP)
    const { family } = routeHeader.read(reader, payload)
    const attributes = routeAttributes.decode(reader, payload + routeHeader.size, end) ?? {}
    const answer = answerLookup(this.#state, family, attributes)
    socket.deliver(messageOf(socket.portId, message.newRoute, 0, sequence, putRoute(answer)))
  }

  /** What a dump tells, filtered as with strict checking (NETLINK_GET_STRICT_CHK), as it is now. */
  #entries(reader: MessageReader, { type, payload, end }: Message): readonly Put[] {
    const state = this.#state
    switch (type >> 2) {
      case KINDS.link:
        return [...state.links.values()].map(link => putLink(state, link))
      case KINDS.address: {
        const { family, index } = addressHeader.read(reader, payload)
        if (index !== 0 && !state.links.has(index)) throw new Errno(ENODEV)
        const wanted = state.addresses.filter(
          one => (index === 0 || one.index === index) && (family === 0 || one.family === family),
        )
        return wanted.sort((a, b) => a.family - b.family || a.index - b.index).map(address => putAddress(state, address))
      }
      case KINDS.route:
        return this.#routes(reader, payload, end).map(putRoute)
      case KINDS.rule: {
        const { family } = ruleHeader.read(reader, payload)
        return state.rules.filter(({ header }) => family === 0 || header.family === family).map(putRule)
      }
      default:
        throw new Errno(EOPNOTSUPP)
    }
  }

  #routes(reader: MessageReader, start: number, end: number): Route[] {
    const { family, type, protocol, table: low } = routeHeader.read(reader, start)
    const { device, table = low } = routeAttributes.decode(reader, start + routeHeader.size, end) ?? {}
    if (device !== undefined && !this.#state.links.has(device)) throw new Errno(ENODEV)
    const found = this.#state.routes.filter(
      ({ header, attributes, nexthops }) =>
        (family === 0 || header.family === family) &&
        (table === 0 || attributes.table === table) &&
        (type === 0 || header.type === type) &&
        (protocol === 0 || header.protocol === protocol) &&
        (device === undefined || nexthops.some(({ index }) => index === device)),
    )
    const exists =
      table === 0 || this.#state.routes.some(({ header, attributes }) => header.family === family && attributes.table === table)
    if ((family === AF_INET || family === AF_INET6) && !exists) throw new Errno(ENOENT)
    return found.sort((a, b) => a.header.family - b.header.family)
  }
}

function startDump(socket: KernelSocket, type: number, sequence: number, entries: readonly Put[]): never {
  socket.startDump(sequence, () => {
    let done = 0
    return page => {
      for (; done < entries.length; done++) {
        const put = entries[done] as Put
        const fits = page.put(writer => {
          const start = beginReply(writer, socket.portId, type, NLM_F_MULTI, sequence)
          put(writer)
          endMessage(writer, start)
        })
        if (!fits) return
      }
    }
  })
}
