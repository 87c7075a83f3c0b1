import t from 'tap'
import {
  EXPRESSION_NAMES,
  familiesOfExpression,
  OBJECT_TYPES,
  optionOfExpression,
  optionOfObject,
} from '../../lib/nft/kernel-options.js'

t.test('every expression has an option in each of its families, and in no other', async t => {
  t.ok(EXPRESSION_NAMES.length > 35)
  for (const name of EXPRESSION_NAMES) {
    const families = familiesOfExpression(name) ?? (['inet', 'ip', 'ip6', 'arp', 'bridge', 'netdev'] as const)
    for (const family of families) t.match(optionOfExpression(name, family)?.option, /^N(F|FT)_/, `${name} in ${family}`)
  }
  t.equal(optionOfExpression('fwd', 'inet'), undefined)
  t.equal(optionOfExpression('toString', 'inet'), undefined)
})

t.test('the option and the module of an expression depend on the family where each has its own', async t => {
  t.same(optionOfExpression('queue', 'ip6'), { option: 'NFT_QUEUE', module: 'nft_queue' })
  t.same(optionOfExpression('reject', 'inet'), { option: 'NFT_REJECT_INET', module: 'nft_reject_inet' })
  t.same(optionOfExpression('reject', 'bridge'), { option: 'NFT_BRIDGE_REJECT', module: 'nft_reject_bridge' })
  t.same(optionOfExpression('cmp', 'bridge'), { option: 'NF_TABLES', module: undefined })
})

t.test('every type of stateful objects has an option', async t => {
  for (const type of OBJECT_TYPES) t.match(optionOfObject(type)?.option, /^N/, type)
  t.same(optionOfObject('ct timeout'), { option: 'NF_CONNTRACK_TIMEOUT', module: 'nft_ct' })
})
