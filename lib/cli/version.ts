/** Of package.json: the build of the program puts it in. */
declare const VERSION: string | undefined

/** Version of the package; `development` where the sources run unbuilt. */
export const version = typeof VERSION === 'string' ? VERSION : 'development'
