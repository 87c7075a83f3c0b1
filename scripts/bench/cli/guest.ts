/** Measures one task inside a kernel of the bench's own. */
import { shell } from '../shell.js'
import { TASKS, type TaskName, type TaskOptions } from './tasks.js'

const { task, ...options } = JSON.parse(process.argv[2] ?? '') as TaskOptions & { readonly task: TaskName }
process.stdout.write(JSON.stringify(await TASKS[task](options)))
shell.end()
