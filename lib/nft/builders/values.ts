/** What constants of each data type look like to the compiler (nft(8), DATA TYPES; `nft describe` tells the words). */

type Numbered<W extends string> = W | number

type IcmpType =
  | 'echo-reply'
  | 'destination-unreachable'
  | 'source-quench'
  | 'redirect'
  | 'echo-request'
  | 'router-advertisement'
  | 'router-solicitation'
  | 'time-exceeded'
  | 'parameter-problem'
  | 'timestamp-request'
  | 'timestamp-reply'
  | 'info-request'
  | 'info-reply'
  | 'address-mask-request'
  | 'address-mask-reply'
type Icmpv6Type =
  | 'destination-unreachable'
  | 'packet-too-big'
  | 'time-exceeded'
  | 'parameter-problem'
  | 'echo-request'
  | 'echo-reply'
  | 'mld-listener-query'
  | 'mld-listener-report'
  | 'mld-listener-done'
  | 'mld-listener-reduction'
  | 'nd-router-solicit'
  | 'nd-router-advert'
  | 'nd-neighbor-solicit'
  | 'nd-neighbor-advert'
  | 'nd-redirect'
  | 'router-renumbering'
  | 'ind-neighbor-solicit'
  | 'ind-neighbor-advert'
  | 'mld2-listener-report'
type Dscp = `cs${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}` | `af${1 | 2 | 3 | 4}${1 | 2 | 3}` | 'df' | 'be' | 'lephb' | 'va' | 'ef'
type AddressType =
  | 'unspec'
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit'
type CtEvent =
  | 'new'
  | 'related'
  | 'destroy'
  | 'reply'
  | 'assured'
  | 'protoinfo'
  | 'helper'
  | 'mark'
  | 'seqadj'
  | 'secmark'
  | 'label'
type Day = 'Sunday' | 'Monday' | 'Tuesday' | 'Wednesday' | 'Thursday' | 'Friday' | 'Saturday'

/** Constants by nft's word for their type. */
export interface ConstantsByType {
  readonly nf_proto: Numbered<'ipv4' | 'ipv6'>
  /** Above 2^53 as text: `'0x20000000000000'` in hexadecimal. */
  readonly integer: Numbered<`0x${string}`>
  readonly bitmask: number
  readonly string: string
  readonly ll_addr: string
  readonly ipv4_addr: string
  readonly ipv6_addr: string
  readonly ether_addr: string
  readonly ether_type: Numbered<'ip' | 'arp' | 'ip6' | '8021q' | '8021ad' | 'vlan'>
  readonly arp_op: Numbered<'request' | 'reply' | 'rrequest' | 'rreply' | 'inrequest' | 'inreply' | 'nak'>
  /** A protocol's name (/etc/protocols) or number. */
  readonly inet_proto: string | number
  /** A service's name (/etc/services) or a port. */
  readonly inet_service: string | number
  readonly icmp_type: Numbered<IcmpType>
  readonly icmp_code: Numbered<
    | 'net-unreachable'
    | 'host-unreachable'
    | 'prot-unreachable'
    | 'port-unreachable'
    | 'frag-needed'
    | 'net-prohibited'
    | 'host-prohibited'
    | 'admin-prohibited'
  >
  readonly icmpv6_type: Numbered<Icmpv6Type>
  readonly icmpv6_code: Numbered<
    'no-route' | 'admin-prohibited' | 'addr-unreachable' | 'port-unreachable' | 'policy-fail' | 'reject-route'
  >
  readonly icmpx_code: Numbered<'no-route' | 'port-unreachable' | 'host-unreachable' | 'admin-prohibited'>
  readonly igmp_type: Numbered<
    'membership-query' | 'membership-report-v1' | 'membership-report-v2' | 'membership-report-v3' | 'leave-group'
  >
  readonly tcp_flag: Numbered<'fin' | 'syn' | 'rst' | 'psh' | 'ack' | 'urg' | 'ecn' | 'cwr'>
  readonly dccp_pkttype: Numbered<
    'request' | 'response' | 'data' | 'ack' | 'dataack' | 'closereq' | 'close' | 'reset' | 'sync' | 'syncack'
  >
  readonly mh_type: Numbered<
    | 'binding-refresh-request'
    | 'home-test-init'
    | 'careof-test-init'
    | 'home-test'
    | 'careof-test'
    | 'binding-update'
    | 'binding-acknowledgement'
    | 'binding-error'
    | 'fast-binding-update'
    | 'fast-binding-acknowledgement'
    | 'fast-binding-advertisement'
    | 'experimental-mobility-header'
    | 'home-agent-switch-message'
  >
  /** Seconds, or nft's text: `'1m30s'`. */
  readonly time: string | number
  /** A name of /etc/iproute2/rt_marks, or a number. */
  readonly mark: string | number
  readonly iface_index: string | number
  readonly iface_type: Numbered<'ether' | 'ppp' | 'ipip' | 'ipip6' | 'loopback' | 'sit' | 'ipgre'>
  readonly realm: string | number
  readonly classid: string | number
  readonly uid: string | number
  readonly gid: string | number
  readonly ct_state: Numbered<'invalid' | 'new' | 'established' | 'related' | 'untracked'>
  readonly ct_dir: Numbered<'original' | 'reply'>
  readonly ct_status: Numbered<'expected' | 'seen-reply' | 'assured' | 'confirmed' | 'snat' | 'dnat' | 'dying'>
  readonly ct_label: string | number
  readonly ct_event: Numbered<CtEvent>
  readonly pkt_type: Numbered<'host' | 'unicast' | 'broadcast' | 'multicast' | 'other'>
  readonly devgroup: string | number
  readonly dscp: Numbered<Dscp>
  readonly ecn: Numbered<'not-ect' | 'ect0' | 'ect1' | 'ce'>
  readonly fib_addrtype: Numbered<AddressType>
  readonly boolean: boolean
  /** A name that ends in `*` stands for all that begin so. */
  readonly ifname: string
  /** `'2026-11-26 12:00:00'`, or seconds since 1970. */
  readonly date: string | number
  /** `'12:30'`, or seconds since midnight. */
  readonly hour: string | number
  readonly day: Numbered<Day>
  readonly cgroupsv2: string | number
}

/** nft's word for a type of values. */
export type TypeWord = keyof ConstantsByType

/** Types whose constants are sets of flags. */
export type FlagType = 'tcp_flag' | 'ct_state' | 'ct_status' | 'ct_event' | 'ct_label' | 'bitmask'

/** Of text types a prefix is text as well: `'10.0.0.0/8'`. */
export interface Bounds<T> {
  readonly from: T
  readonly to: T
}

/** A constant, or where intervals may stand a range: a prefix is text. */
export type ConstantOf<T extends TypeWord> = ConstantsByType[T]
export type ValueOrBounds<T extends TypeWord> = ConstantsByType[T] | Bounds<ConstantsByType[T]>

/** One type, or several one after the other. */
export type KeyTypes = TypeWord | readonly TypeWord[]

/** What an element of a set with this key is: a constant, or one for each type. */
export type ElementOf<K extends KeyTypes> = K extends TypeWord
  ? ValueOrBounds<K>
  : K extends readonly TypeWord[]
    ? { readonly [I in keyof K]: ValueOrBounds<K[I] & TypeWord> }
    : never
