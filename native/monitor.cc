#include <linux/netlink.h>

#include "handle.h"

namespace addon {

namespace {

/** Datagrams in one go, so that a flood leaves the event loop time for everything else. */
constexpr int most = 32;

}  // namespace

Monitor::Monitor(Handle& handle, Napi::Function callback)
    : handle_(handle), callback_(Napi::Persistent(callback)), context_(callback.Env(), "ts-ipvs.subscription") {
  poll_.data = this;
  if (const int error = uv_poll_init(handle.environment.loop, &poll_, handle.socket.fd()))
    throw Napi::Error::New(callback.Env(), std::string("the event loop cannot watch the socket: ") + uv_err_name(error));
  handle.environment.add(*this);
  uv_poll_start(&poll_, UV_READABLE, readable);
}

void Monitor::close() {
  if (std::exchange(closing_, true)) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* poll) {
    auto& monitor = *static_cast<Monitor*>(poll->data);
    Environment& environment = monitor.handle_.environment;
    environment.remove(monitor);
    {
      CallbackScope scope(environment);
      monitor.handle_.monitorEnded();  // which deletes it
    }
    environment.closed();
  });
}

void Monitor::readable(uv_poll_t* poll, int status, int) {
  // An overrun raises EPOLLERR, which libuv calls EBADF and stops at. recvmsg tells what it really is.
  if (status < 0) uv_poll_start(poll, UV_READABLE, readable);
  static_cast<Monitor*>(poll->data)->receive();
}

void Monitor::receive() {
  const Scratch& scratch = handle_.environment.scratch;
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

/** Without Napi::Function, which ends the process when the callback throws what is no object in an environment that is ending. */
void Monitor::tell(Bytes data, int error) {
  const Napi::Env env = handle_.environment.env;
  const Napi::HandleScope scope(env);
  napi_value arguments[2];
  if (napi_create_buffer_copy(env, data.length, data.data, nullptr, &arguments[0]) == napi_ok &&
      napi_create_int32(env, error, &arguments[1]) == napi_ok)
    napi_make_callback(env, context_, env.Global(), callback_.Value(), 2, arguments, nullptr);

  napi_value exception;
  if (env.IsExceptionPending() && napi_get_and_clear_last_exception(env, &exception) == napi_ok)
    napi_fatal_exception(env, exception);
}

}  // namespace addon
