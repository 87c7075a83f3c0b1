/** States of connections that time-outs are for (src/rule.c, timeout_protocol; linux/netfilter/nfnetlink_cttimeout.h). */

/** Name and seconds of each state by its number, from 1 on. nft leaves out of listings what has its default. */
const STATES = {
  tcp: [
    ['syn_sent', 120],
    ['syn_recv', 60],
    ['established', 432_000],
    ['fin_wait', 120],
    ['close_wait', 60],
    ['last_ack', 30],
    ['time_wait', 120],
    ['close', 10],
    ['syn_sent2', 120],
    ['retrans', 300],
    ['unack', 300],
  ],
  udp: [
    ['unreplied', 30],
    ['replied', 120],
  ],
} as const satisfies Readonly<Record<string, readonly (readonly [name: string, seconds: number])[]>>

export const statesOf = (protocol: 'tcp' | 'udp'): readonly (readonly [name: string, seconds: number])[] => STATES[protocol]
