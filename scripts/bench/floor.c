/*
 * The floor: sends recorded netlink messages to the kernel, and does nothing else. No program that says the same can be faster.
 *
 *   floor PROTOCOL NETNS FILE
 *
 * PROTOCOL is the netlink protocol's number. FILE holds the messages as they went over the wire, one behind the other. A message that asks
 * for a dump goes out by itself, and so does a batch of nfnetlink; others go out in one window together, up to the one that asks for an
 * acknowledgement. The answers are received and counted.
 * Prints: microseconds, answers, errors.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The kernel fills a page of a dump as large as this, up to 32 KiB (netlink_recvmsg). */
static _Alignas(NLMSG_ALIGNTO) char reply[32 << 10];
static int protocol;
static unsigned long answers, errors;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int open_or_die(const char *path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die(path);
  return fd;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* The namespace that the file stands for is entered for good. */
static int open_socket(const char *netns) {
  const int namespace = open_or_die(netns);
  if (setns(namespace, CLONE_NEWNET) != 0) die("setns");
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) die("socket");
  const int on = 1, size = 4 << 20, batch = INT32_MAX / 2;
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &batch, sizeof batch);
  const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (connect(fd, (const struct sockaddr *)&kernel, sizeof kernel) != 0) die("connect");
  return fd;
}

/* Receives until the message that closes the request `sequence`. */
static void receive(int fd, uint32_t sequence) {
  for (;;) {
    ssize_t length = recv(fd, reply, sizeof reply, 0);
    if (length < 0) die("recv");
    for (const struct nlmsghdr *header = (void *)reply; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
      const int error = header->nlmsg_type == NLMSG_ERROR ? ((const struct nlmsgerr *)NLMSG_DATA(header))->error : 0;
      answers++;
      if (error != 0) errors++;
      if (header->nlmsg_seq == sequence && (header->nlmsg_type <= NLMSG_DONE || !(header->nlmsg_flags & NLM_F_MULTI))) return;
    }
  }
}

/* Whether what was collected up to this message, and with it, is sent now. */
static int ends_window(const struct nlmsghdr *header, int *in_batch, uint32_t *last) {
  if (protocol == NETLINK_NETFILTER) {
    if (header->nlmsg_type == NFNL_MSG_BATCH_BEGIN) *in_batch = 1;
    if (header->nlmsg_type == NFNL_MSG_BATCH_END) return *in_batch = 0, 1;
  }
  const int acknowledged = (header->nlmsg_flags & NLM_F_ACK) != 0;
  if (!*in_batch || acknowledged) *last = header->nlmsg_seq;
  return !*in_batch && (acknowledged || (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP);
}

int main(int count, char **arguments) {
  if (count != 4) return fprintf(stderr, "usage: floor PROTOCOL NETNS FILE\n"), 2;
  const int file = open_or_die(arguments[3]);
  struct stat status;
  if (fstat(file, &status) != 0) die("fstat");
  char *messages = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (messages == MAP_FAILED) die("mmap");
  protocol = atoi(arguments[1]);
  const int fd = open_socket(arguments[2]);

  const double start = now();
  const char *window = messages, *at = messages, *end = messages + status.st_size;
  int in_batch = 0;
  uint32_t last = 0;
  while (at < end) {
    const struct nlmsghdr *header = (const void *)at;
    at += NLMSG_ALIGN(header->nlmsg_len);
    if (!ends_window(header, &in_batch, &last)) continue;
    if (send(fd, window, at - window, 0) < 0) die("send");
    receive(fd, last);
    window = at;
  }
  printf("%.1f %lu %lu\n", now() - start, answers, errors);
  return 0;
}
