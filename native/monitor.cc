#include "monitor.h"

#include <linux/netlink.h>

#include <cerrno>
#include <vector>

#include "environment.h"

namespace addon {

namespace {

/** Datagrams in one go, so that a flood leaves the event loop time for everything else. */
constexpr int most = 32;

}  // namespace

Monitor::Monitor(Handle& handle, napi_value callback) : handle_(handle), callback_(handle.environment.env, callback) {
  poll_.data = this;
}

Monitor::~Monitor() {
  if (context_ != nullptr) napi_async_destroy(handle_.environment.env, context_);
}

bool Monitor::start(Handle& handle, napi_value callback) {
  Environment& environment = handle.environment;
  auto* monitor = new Monitor(handle, callback);
  monitor->context_ = asyncContext(environment.env, "ts-ipvs.subscription");
  const bool made = monitor->callback_ && monitor->context_ != nullptr;
  const int error = made ? uv_poll_init(environment.loop, &monitor->poll_, handle.socket.fd()) : UV_ENOMEM;
  if (error != 0) {
    delete monitor;
    napi_throw_error(environment.env, uv_err_name(error), "the event loop cannot watch the socket");
    return false;
  }
  uv_poll_start(&monitor->poll_, UV_READABLE, readable);
  environment.add(*monitor);
  handle.monitor = monitor;
  handle.hold();
  return true;
}

void Monitor::close() {
  if (closing_) return;
  closing_ = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* poll) {
    auto* monitor = static_cast<Monitor*>(poll->data);
    Handle& handle = monitor->handle_;
    Environment& environment = handle.environment;
    environment.remove(*monitor);
    delete monitor;
    CallbackScope scope(environment.env, environment.context);
    handle.monitorEnds();
  });
}

void Monitor::readable(uv_poll_t* poll, int status, int) {
  // An overrun raises EPOLLERR, which libuv calls EBADF and stops at. recvmsg tells what it really is.
  if (status < 0) uv_poll_start(poll, UV_READABLE, readable);
  static_cast<Monitor*>(poll->data)->receive();
}

void Monitor::receive() {
  Scratch& scratch = handle_.environment.scratch;
  std::vector<uint8_t> data;
  ssize_t length = 0;
  for (int i = 0; i < most && length >= 0; i++) {
    length = handle_.socket.receive(scratch);
    if (length > 0) data.insert(data.end(), scratch.data(), scratch.data() + length);
    data.resize(NLMSG_ALIGN(data.size()));
  }
  if (!data.empty()) tell({data.data(), data.size()}, 0);
  if (closing_ || length >= 0 || length == -EAGAIN) return;

  const bool overrun = length == -ENOBUFS || length == -EMSGSIZE;  // a datagram that was cut is lost like one that was dropped
  tell({}, overrun ? ENOBUFS : static_cast<int>(-length));
  if (!overrun) close();
}

void Monitor::tell(Bytes data, int error) {
  const napi_env env = handle_.environment.env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value receiver;
  napi_value arguments[2];
  napi_value callback = callback_.get();
  if (callback != nullptr && napi_get_global(env, &receiver) == napi_ok &&
      napi_create_buffer_copy(env, data.length, data.data, nullptr, &arguments[0]) == napi_ok &&
      napi_create_int32(env, error, &arguments[1]) == napi_ok)
    napi_make_callback(env, context_, receiver, callback, 2, arguments, nullptr);
  raiseUncaught(env);
  napi_close_handle_scope(env, scope);
}

}  // namespace addon
