import { BadValue } from '../../netlink/schema.js'

/** Runs `task`; what it refuses stands below a field, or is an element of a list. */
export function within<T>(name: string | number, task: () => T): T {
  try {
    return task()
  } catch (error) {
    throw error instanceof BadValue ? error.within(name) : error
  }
}
