/** What differs from ipvsadm on purpose. */
export const DIFFERENCES: readonly string[] = ['Virtual servers and real servers are sorted by number: 9 comes before 150.']
