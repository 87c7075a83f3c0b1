#pragma once

#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

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

/** Owns a file descriptor. */
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/**
 * Room for one datagram; one per thread. No dump's skb is larger than 32 KiB unless the family asks for it (min_dump_alloc: a
 * link with many virtual functions), and what is never written takes no memory, so there is plenty. A larger datagram is an error
 * (EMSGSIZE).
 */
struct Scratch {
  static constexpr size_t size = 1 << 20;
  uint8_t* data() const { return bytes.get(); }
  const std::unique_ptr<uint8_t[]> bytes{new uint8_t[size]};
};

struct OpenOptions {
  int protocol = 0;
  int netns = -1;
  std::vector<int> groups;
  int receiveBuffer = 0;
  int sendBuffer = 0;
  uint32_t destination = 0;
};

/** An open netlink socket. Non-blocking. */
class Socket {
 public:
  static Failure open(const OpenOptions& options, Socket& socket);

  void close() { fd_ = Fd(); }
  int fd() const { return fd_.get(); }
  uint32_t portId() const { return portId_; }
  int bufferSize(int option) const;

  /** NETLINK_ADD_MEMBERSHIP or NETLINK_DROP_MEMBERSHIP. Returns 0 or an errno. */
  int membership(int option, int group) const;
  /** A descriptor of the namespace that the socket lives in, or a negative errno. */
  int namespaceOf() const;
  /** A number that no other namespace has had since the machine started, or 0 before Linux 5.14. */
  uint64_t netnsCookie() const;

  /** Bytes that the destination took, or a negative errno. */
  ssize_t send(Bytes request) const;
  /**
   * Length of the next datagram, 0 when it came from somebody else than the destination, or a negative errno: -EAGAIN when there
   * is none, -EMSGSIZE when it was cut.
   */
  ssize_t receive(const Scratch& scratch) const;

 private:
  Failure prepare(const OpenOptions& options);

  Fd fd_;
  uint32_t portId_ = 0;
  uint32_t destination_ = 0;
};

/**
 * Runs `work` on a short-lived thread that has entered the network namespace: setns is per thread, and no other thread may stay
 * there. Returns 0, or the errno that kept it from entering (then `work` did not run).
 */
template <typename Work>
int inNamespace(int netns, Work work) {
  int error = 0;
  try {
    std::thread([&] { setns(netns, CLONE_NEWNET) == 0 ? work() : void(error = errno); }).join();
  } catch (const std::system_error& noThread) {
    error = noThread.code().value();
  }
  return error;
}

}  // namespace addon
