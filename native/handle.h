#pragma once

#include <node_api.h>

#include <vector>

#include "socket.h"
#include "workers.h"

namespace addon {

class Environment;
class Monitor;

/** What JavaScript holds: a socket with its jobs or its subscription. An object there owns it; what is going on keeps that. */
class Handle {
 public:
  Handle(Environment& environment, Socket socket) : environment(environment), socket(std::move(socket)) {}
  Handle(const Handle&) = delete;

  /** The object that owns it, or null, with an exception pending. */
  static napi_value wrap(Environment& environment, Socket socket);
  /** Null when the value is something else. */
  static Handle* unwrap(napi_env env, napi_value value);

  /** Keeps it from being collected. */
  void hold();
  void release();

  void jobBegins();
  void jobEnds();
  void monitorEnds();

  /** Ends the subscription and cancels what has not begun. `deferred` settles when the descriptor is closed. */
  void close(napi_deferred deferred);
  bool closed() const { return closing_; }
  bool busy() const { return unsettled_ > 0 || monitor != nullptr; }

  Environment& environment;
  Socket socket;
  Lane lane{socket};
  Monitor* monitor = nullptr;

 private:
  void closeWhenIdle();

  napi_ref object_ = nullptr;
  size_t unsettled_ = 0;
  bool closing_ = false;
  std::vector<napi_deferred> closers_;
};

}  // namespace addon
