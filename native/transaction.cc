#include "transaction.h"

#include <linux/netlink.h>
#include <poll.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace addon {

namespace {

/** After an overrun nobody knows whether more will come. The kernel has replied before sendmsg returns; another process gets
 * this. */
constexpr int afterOverrun = 5;
/** A full receiver, which can only be another process: netlink has no POLLOUT for it, so sending is tried again. */
constexpr int untilRetry = 10;

uint64_t now() { return uv_hrtime() / 1000000; }

/** Takes the first message off `rest`. False when nothing, or no whole message, is left there. */
bool next(Bytes& rest, nlmsghdr& header, Bytes& message) {
  if (rest.length < sizeof header) return false;
  std::memcpy(&header, rest.data, sizeof header);
  if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.length) return false;
  message = {rest.data, header.nlmsg_len};
  const size_t step = std::min<size_t>(NLMSG_ALIGN(size_t{header.nlmsg_len}), rest.length);
  rest = {rest.data + step, rest.length - step};
  return true;
}

/** Whether an acknowledgement was asked for with a message of this sequence number: it comes behind all that answers it. */
bool acknowledges(Bytes request, uint32_t last) {
  nlmsghdr header;
  for (Bytes message; next(request, header, message);)
    if (header.nlmsg_seq == last && (header.nlmsg_flags & NLM_F_ACK) != 0) return true;
  return false;
}

}  // namespace

bool Transaction::wellFormed(Bytes messages) {
  nlmsghdr header;
  for (Bytes message; next(messages, header, message);) continue;
  return messages.length == 0;
}

bool Transaction::exchange(Bytes request, uint32_t last) {
  acknowledged_ = acknowledges(request, last);
  return send(request) && receive(last);
}

bool Transaction::send(Bytes request) {
  startClock();
  for (;;) {
    const ssize_t sent = socket_.send(request);
    if (sent >= 0) {
      reply_.sent += static_cast<size_t>(sent);
      startClock();
      return true;
    }
    if (sent != -EAGAIN) return fail(static_cast<int>(-sent), "sendmsg");
    const int error = wait(untilRetry, false);
    if (error != 0 && (error != ETIMEDOUT || (timeout_ != 0 && now() >= deadline_))) return fail(error, "sendmsg");
  }
}

bool Transaction::receive(uint32_t last, size_t size) {
  bool overrun = false;
  reply_.complete = false;
  while (!reply_.complete && reply_.data.size() < size) {
    if (cancellation_.raised()) return fail(ECANCELED, "recvmsg");
    const ssize_t length = socket_.receive(scratch_);
    if (length >= 0) {
      if (!append(static_cast<size_t>(length), last)) return fail(EBADMSG, "recvmsg");
    } else if (length == -ENOBUFS) {
      overrun = reply_.lost = true;
    } else if (length == -EAGAIN) {
      const int error = wait(overrun ? afterOverrun : -1);
      if (error == ETIMEDOUT && overrun) return false;
      if (error != 0) return fail(error, "poll");
    } else {
      return fail(static_cast<int>(-length), "recvmsg");
    }
  }
  return true;
}

void Transaction::dumpMany(Bytes requests) {
  nlmsghdr header;
  reply_.complete = true;
  for (Bytes request; next(requests, header, request);)
    if (!send(request) || !receive(header.nlmsg_seq)) return;
}

bool Transaction::closes(const nlmsghdr& header, uint32_t last) const {
  if (header.nlmsg_seq != last) return false;
  if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) return true;
  return !acknowledged_ && (header.nlmsg_flags & NLM_F_MULTI) == 0;
}

/** Adds a datagram to the reply, each message aligned. False when it is not made of whole messages. */
bool Transaction::append(size_t length, uint32_t last) {
  nlmsghdr header;
  Bytes rest{scratch_.data(), length};
  for (Bytes message; next(rest, header, message);)
    if (closes(header, last)) reply_.complete = true;
  const size_t whole = length - rest.length;
  if (whole > 0) reply_.datagrams++;
  reply_.data.insert(reply_.data.end(), scratch_.data(), scratch_.data() + whole);
  reply_.data.resize(NLMSG_ALIGN(reply_.data.size()));
  return rest.length == 0;
}

int Transaction::wait(int limit, bool forReply) {
  for (;;) {
    int milliseconds = limit;
    if (timeout_ != 0) {
      const uint64_t time = now();
      const uint64_t left = std::min<uint64_t>(deadline_ > time ? deadline_ - time : 0, INT_MAX);
      milliseconds = limit < 0 ? static_cast<int>(left) : std::min(limit, static_cast<int>(left));
    }
    pollfd watched[] = {{forReply ? socket_.fd() : -1, POLLIN, 0}, {cancellation_.fd(), POLLIN, 0}};
    const int ready = poll(watched, 2, milliseconds);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return errno;
    if (ready == 0) return ETIMEDOUT;
    return watched[1].revents != 0 ? ECANCELED : 0;
  }
}

bool Transaction::fail(int error, const char* syscall) {
  reply_.complete = false;
  reply_.failure = {error, syscall};
  return false;
}

void Transaction::startClock() { deadline_ = now() + timeout_; }

}  // namespace addon
