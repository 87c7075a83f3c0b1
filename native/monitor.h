#pragma once

#include <node_api.h>
#include <uv.h>

#include "handle.h"
#include "js.h"

namespace addon {

/** A subscription: the event loop watches the socket and JavaScript gets what arrives. Deletes itself when libuv has let go. */
class Monitor {
 public:
  /** False, with an exception pending, when it cannot be. */
  static bool start(Handle& handle, napi_value callback);

  void close();
  void ref() { uv_ref(reinterpret_cast<uv_handle_t*>(&poll_)); }
  void unref() { uv_unref(reinterpret_cast<uv_handle_t*>(&poll_)); }

 private:
  Monitor(Handle& handle, napi_value callback);
  ~Monitor();

  static void readable(uv_poll_t* poll, int status, int events);
  void receive();
  void tell(Bytes data, int error);

  Handle& handle_;
  Reference callback_;
  napi_async_context context_ = nullptr;
  uv_poll_t poll_;
  bool closing_ = false;
};

}  // namespace addon
