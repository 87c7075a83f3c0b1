#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fd.h"

namespace addon {

struct Bytes {
  const uint8_t* data = nullptr;
  size_t length = 0;
};

/** 0, or what failed. The errors of this addon are values: they become `errno` and `syscall` in JavaScript. */
struct Failure {
  int error = 0;
  const char* syscall = "";
  explicit operator bool() const { return error != 0; }
};

struct OpenOptions {
  int protocol = 0;
  int netns = -1;
  std::vector<int> groups;
  int receiveBuffer = 0;
  int sendBuffer = 0;
  uint32_t destination = 0;
};

/**
 * Room for one datagram; one per thread. No dump's skb is larger than 32 KiB unless the family asks for it (min_dump_alloc: a
 * link with many virtual functions), and what is never written takes no memory, so there is plenty. A larger datagram is an error
 * (EMSGSIZE).
 */
class Scratch {
 public:
  static constexpr size_t size = 1 << 20;
  uint8_t* data() {
    if (!bytes_) bytes_.reset(new uint8_t[size]);
    return bytes_.get();
  }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
};

/** Raised once, when the environment ends: everything that waits looks at it. */
class Cancellation {
 public:
  Cancellation();
  int fd() const { return fd_.get(); }
  bool raised() const { return raised_.load(std::memory_order_relaxed); }
  void raise();

 private:
  Fd fd_;
  std::atomic<bool> raised_{false};
};

/** An open netlink socket. Non-blocking. */
class Socket {
 public:
  static Failure open(const OpenOptions& options, Socket& socket);

  void close() { fd_.reset(); }
  int fd() const { return fd_.get(); }
  uint32_t portId() const { return portId_; }
  int bufferSize(int option) const;

  /** NETLINK_ADD_MEMBERSHIP or NETLINK_DROP_MEMBERSHIP. Returns 0 or an errno. */
  int membership(int option, int group) const;
  /** A descriptor of the namespace that the socket lives in, or a negative errno. */
  int namespaceOf() const;

  /** Bytes that the destination took, or a negative errno. */
  ssize_t send(Bytes request) const;
  /**
   * Length of the next datagram, 0 when it came from somebody else than the destination, or a negative errno: -EAGAIN when there
   * is none, -EMSGSIZE when it was cut.
   */
  ssize_t receive(Scratch& scratch) const;

 private:
  Failure prepare(const OpenOptions& options);

  Fd fd_;
  uint32_t portId_ = 0;
  uint32_t destination_ = 0;
};

}  // namespace addon
