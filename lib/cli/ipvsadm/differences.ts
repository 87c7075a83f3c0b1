/** What differs from ipvsadm on purpose: the man page and the README tell it, test/kernel/cli/differences.ts shows those that a kernel can show on both sides. */
export const DIFFERENCES: readonly string[] = [
  'Tables are sorted by the numbers of addresses; the subtraction that ipvsadm compares by overflows, so that 150.0.0.1 comes before 1.0.0.1.',
  'Firewall marks above 2147483647 are printed as they are, not as negative numbers, and what is saved of them can be restored.',
  'Counters of real servers have 64 bits; those of ipvsadm begin anew at 2^32.',
  'Thresholds are saved (-x and -y).',
  'A restore goes on after a bad line, tells every bad line with its number on standard error, and ends with status 1; ipvsadm ends at a line that it can not read, and its status is that of the last line. A # begins a comment.',
  'Forwarding that ipvsadm has no word for (bypass) has a name in listings.',
  'What the lines of -S can not say, and what a restore of them would refuse or change, is told on standard error; so are tables that kept changing while they were read.',
  'The third flag of the schedulers sh and mh is listed, and saved, as flag-3.',
  'A list of scheduler flags with nothing in it is refused; ipvsadm crashes.',
  'The command line is checked before the kernel is asked: help, version and mistakes do not need IPVS. The text of the help is another.',
  '--json prints a listing as JSON, --netns works in another network namespace.',
]
