/*
 * The floor: sends recorded netlink messages to the kernel, and does nothing else. No program that says the same can be faster.
 *
 *   floor NETNS FILE
 *
 * FILE holds the messages as they went over the wire, one behind the other. A message that asks for a dump goes out by itself; others
 * go out in one window together, up to the one that asks for an acknowledgement. The answers are received and counted.
 * Prints: microseconds, answers, errors.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

static _Alignas(NLMSG_ALIGNTO) char reply[64 << 10];
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
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  if (fd < 0) die("socket");
  const int on = 1, size = 4 << 20;
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
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

int main(int count, char **arguments) {
  if (count != 3) return fprintf(stderr, "usage: floor NETNS FILE\n"), 2;
  const int file = open_or_die(arguments[2]);
  struct stat status;
  if (fstat(file, &status) != 0) die("fstat");
  char *messages = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (messages == MAP_FAILED) die("mmap");
  const int fd = open_socket(arguments[1]);

  const double start = now();
  const char *window = messages, *at = messages, *end = messages + status.st_size;
  while (at < end) {
    const struct nlmsghdr *header = (const void *)at;
    at += NLMSG_ALIGN(header->nlmsg_len);
    const int dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    if (!dump && !(header->nlmsg_flags & NLM_F_ACK)) continue;
    if (send(fd, window, at - window, 0) < 0) die("send");
    receive(fd, header->nlmsg_seq);
    window = at;
  }
  printf("%.1f %lu %lu\n", now() - start, answers, errors);
  return 0;
}
