#include "socket.h"

#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif
#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

namespace addon {

namespace {

/** More than /proc/sys/net/core/{r,w}mem_max takes CAP_NET_ADMIN; without it the kernel grants what it can. */
void setBufferSize(int fd, int force, int plain, int size) {
  if (size <= 0) return;
  if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof size) != 0) setsockopt(fd, SOL_SOCKET, plain, &size, sizeof size);
}

sockaddr_nl addressOf(uint32_t port) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_pid = port;
  return address;
}

}  // namespace

Failure Socket::open(const OpenOptions& options, Socket& socket) {
  int error = 0;
  auto create = [&] {
    socket.fd_ = Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, options.protocol));
    if (socket.fd() < 0) error = errno;
  };
  if (options.netns < 0)
    create();
  else if (const int refused = inNamespace(options.netns, create))
    return {refused, "setns"};
  if (error != 0) return {error, "socket"};
  const Failure failure = socket.prepare(options);
  if (failure) socket.close();
  return failure;
}

Failure Socket::prepare(const OpenOptions& options) {
  destination_ = options.destination;

  // Kernels older than these options (4.12, 4.3, 4.20) answer without them.
  const int on = 1;
  setsockopt(fd(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  // rtnetlink dumps everything otherwise, whatever was asked for.
  setsockopt(fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  setBufferSize(fd(), SO_RCVBUFFORCE, SO_RCVBUF, options.receiveBuffer);
  setBufferSize(fd(), SO_SNDBUFFORCE, SO_SNDBUF, options.sendBuffer);

  sockaddr_nl address = addressOf(0);
  socklen_t length = sizeof address;
  if (bind(fd(), reinterpret_cast<sockaddr*>(&address), length) != 0) return {errno, "bind"};
  if (getsockname(fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return {errno, "getsockname"};
  portId_ = address.nl_pid;

  for (const int group : options.groups)
    if (const int error = membership(NETLINK_ADD_MEMBERSHIP, group)) return {error, "setsockopt"};
  return {};
}

int Socket::bufferSize(int option) const {
  int size = 0;
  socklen_t length = sizeof size;
  return getsockopt(fd(), SOL_SOCKET, option, &size, &length) == 0 ? size : 0;
}

int Socket::membership(int option, int group) const {
  return setsockopt(fd(), SOL_NETLINK, option, &group, sizeof group) == 0 ? 0 : errno;
}

int Socket::namespaceOf() const {
  const int netns = ioctl(fd(), SIOCGSKNS);
  return netns >= 0 ? netns : -errno;
}

uint64_t Socket::netnsCookie() const {
  uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  return getsockopt(fd(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

ssize_t Socket::send(Bytes request) const {
  sockaddr_nl address = addressOf(destination_);
  iovec part{const_cast<uint8_t*>(request.data), request.length};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ssize_t sent;
  do sent = sendmsg(fd(), &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0 ? sent : -errno;
}

ssize_t Socket::receive(const Scratch& scratch) const {
  for (;;) {
    sockaddr_nl source{};
    iovec part{scratch.data(), Scratch::size};
    msghdr message{};
    message.msg_name = &source;
    message.msg_namelen = sizeof source;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t length = recvmsg(fd(), &message, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return -errno;
    if (source.nl_pid != destination_) return 0;  // any process may send to our port
    return (message.msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : length;
  }
}

}  // namespace addon
