/** Real packets through a director: what balances, forwards, counts and drains is seen by clients and servers. */
import type { Case } from '../support/case.js'

export const traffic: readonly Case[] = []
