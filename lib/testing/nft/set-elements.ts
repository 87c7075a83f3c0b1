import type { Chain } from './state.js'
export class SetElements {
  *jumps(): Generator<Chain> {}
}
