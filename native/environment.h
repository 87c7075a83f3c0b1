#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "handle.h"
#include "workers.h"

namespace addon {

/**
 * What one JavaScript environment (the main thread or a Worker) owns: threads, subscriptions, and the way back from them to
 * JavaScript. It ends through an asynchronous cleanup hook, when no thread runs and no libuv handle is open any more, and then
 * deletes itself.
 */
class Environment {
 public:
  /** Null, with an exception pending, when it cannot be made. */
  static Environment* create(napi_env env);

  /** Runs the job on a thread. Settles its promise on this one. */
  void submit(std::unique_ptr<Job> job);
  /** Settles the handle's jobs that have not begun with ECANCELED. */
  void cancel(Handle& handle);

  void add(Monitor& monitor) { monitors_.push_back(&monitor); }
  void remove(Monitor& monitor);

  const napi_env env;
  uv_loop_t* const loop;
  napi_async_context context = nullptr;
  Scratch scratch;

 private:
  Environment(napi_env env, uv_loop_t* loop) : env(env), loop(loop), workers_(announce_) {}
  ~Environment();

  void deliver();
  void settle(Job& job);
  void end();
  void endWhenIdle();
  void close();

  uv_async_t announce_{};
  Workers workers_;
  size_t unsettled_ = 0;
  std::vector<Monitor*> monitors_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool ending_ = false;
};

}  // namespace addon
