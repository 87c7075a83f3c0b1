#pragma once

#include <linux/netlink.h>
#include <sys/eventfd.h>

#include <atomic>

#include "socket.h"

namespace addon {

struct Reply {
  std::vector<uint8_t> data;
  Failure failure;
  size_t sent = 0;
  size_t datagrams = 0;
  bool lost = false;
  bool complete = false;
};

/** Raised once, when the environment ends: everything that waits looks at it. */
class Cancellation {
 public:
  int fd() const { return fd_.get(); }
  bool raised() const { return raised_.load(std::memory_order_relaxed); }
  void raise() {
    raised_.store(true, std::memory_order_relaxed);
    eventfd_write(fd(), 1);  // never read: it stays readable for all
  }

 private:
  const Fd fd_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::atomic<bool> raised_{false};
};

/** Requests sent through a socket and the replies to them, on a thread that may wait. */
class Transaction {
 public:
  /** @param timeout milliseconds to wait for the replies, again after each send; 0 waits for ever */
  Transaction(const Socket& socket, const Scratch& scratch, const Cancellation& cancellation, uint32_t timeout)
      : socket_(socket), scratch_(scratch), cancellation_(cancellation), timeout_(timeout) {
    startClock();
  }

  /** Sends `request`, and receives until the closing message of `last`: the acknowledgement, where one was asked for. */
  bool exchange(Bytes request, uint32_t last);
  /** All of `request` at once. False: it failed. */
  bool send(Bytes request);
  /** Receives until the closing message of sequence number `last`, or `size` bytes. False: it failed, or the end was lost. */
  bool receive(uint32_t last, size_t size = SIZE_MAX);
  /** The messages of `requests` one after the other, each when the one before has been answered. They must be `wellFormed`. */
  void dumpMany(Bytes requests);

  Reply take() { return std::move(reply_); }

  /** Whether the bytes are whole netlink messages, one behind the other. */
  static bool wellFormed(Bytes messages);

 private:
  bool closes(const nlmsghdr& header, uint32_t last) const;
  bool append(size_t length, uint32_t last);
  /** Waits for something to receive, at most `limit` milliseconds (negative: up to the deadline). Returns 0 or an errno. */
  int wait(int limit, bool forReply = true);
  bool fail(int error, const char* syscall);
  void startClock();

  const Socket& socket_;
  const Scratch& scratch_;
  const Cancellation& cancellation_;
  const uint32_t timeout_;
  uint64_t deadline_ = 0;
  bool acknowledged_ = false;
  Reply reply_;
};

}  // namespace addon
