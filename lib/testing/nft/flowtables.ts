import type { Change } from './kernel.js'
import type { Flowtable } from './state.js'
export function deleteFlowtable(_change: Change, _it: Flowtable): void {}
