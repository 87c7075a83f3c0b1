/** What is used of the package yaml. The build puts the package itself here, so that users need not install it. */
export { type Document, isCollection, LineCounter, type Node, parseAllDocuments } from 'yaml'
