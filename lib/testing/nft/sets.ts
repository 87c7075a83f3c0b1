import type { Change } from './kernel.js'
import type { NftSet } from './state.js'
export function deleteSet(_change: Change, _it: NftSet): void {}
