/** For the tests of programs that use ts-ipvs: a kernel in memory. */
export type { Fault, Injected, Injection, SocketCall } from './faults.js'
export { type CounterValues, type MemoryKernel, type MemoryKernelOptions, memoryKernel } from './memory-kernel.js'
