import type { Change } from './kernel.js'
import type { StatefulObject } from './state.js'
export function deleteObject(_change: Change, _it: StatefulObject): void {}
