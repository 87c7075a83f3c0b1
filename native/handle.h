#pragma once

#include <napi.h>
#include <uv.h>

#include <deque>
#include <functional>
#include <mutex>
#include <set>

#include "transaction.h"

namespace addon {

class Environment;
class Handle;

/** Throws it, with a code. */
[[noreturn]] void refuse(Napi::Error error, const char* code);

/**
 * A promise, and in `deferred` what settles it. Raw, because node-addon-api throws when settling fails, which it does when the
 * environment is ending.
 */
Napi::Value makePromise(Napi::Env env, napi_deferred& deferred);

/** One call of `exchange`, `page` or `dumpMany`: made and settled on the JavaScript thread, run on another. */
struct Job {
  std::function<void(Transaction&)> work;
  uint32_t timeout;
  /** Keeps the memory of the request, which is never copied. */
  Napi::ObjectReference request;
  Handle* handle = nullptr;
  napi_deferred deferred = nullptr;
  Reply reply;
};

/** A subscription: the event loop watches the socket and JavaScript gets what arrives. */
class Monitor {
 public:
  /** Throws when it cannot be. */
  Monitor(Handle& handle, Napi::Function callback);
  Monitor(const Monitor&) = delete;

  /** The handle deletes it when libuv has let go. */
  void close();
  void ref() { uv_ref(reinterpret_cast<uv_handle_t*>(&poll_)); }
  void unref() { uv_unref(reinterpret_cast<uv_handle_t*>(&poll_)); }

 private:
  static void readable(uv_poll_t* poll, int status, int events);
  void receive();
  void tell(Bytes data, int error);

  Handle& handle_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  uv_poll_t poll_;
  bool closing_ = false;
};

/** What JavaScript holds: a socket with its jobs or its subscription. An object there owns it; what is going on keeps that. */
class Handle {
 public:
  /** The object that owns it. */
  static Napi::Object wrap(Environment& environment, Socket socket);
  /** Throws a TypeError when the value is something else. */
  static Handle& unwrap(Napi::Value value);
  Handle(Environment& environment, Socket socket) : environment(environment), socket(std::move(socket)) {}
  Handle(const Handle&) = delete;

  /** Returns its promise. */
  Napi::Value submit(std::unique_ptr<Job> job);
  void subscribe(Napi::Function callback);
  /** Ends the subscription and cancels what has not begun. The promise settles when the descriptor is closed. */
  Napi::Value close();
  bool closed() const { return closing_; }
  bool busy() const { return unsettled_ > 0 || monitor != nullptr; }

  void jobEnded();
  void monitorEnded();

  Environment& environment;
  Socket socket;
  std::unique_ptr<Monitor> monitor;

  /** The environment's, under its mutex: what has not begun, and whether a thread has come or will come for it. */
  std::deque<std::unique_ptr<Job>> waiting;
  bool scheduled = false;

 private:
  void closeWhenIdle();

  Napi::ObjectReference object_;
  size_t unsettled_ = 0;
  bool closing_ = false;
  std::vector<napi_deferred> closers_;
};

/**
 * What the sockets of one JavaScript environment (the main thread or a Worker) share: threads, and the way back from them to
 * JavaScript. It ends through an asynchronous cleanup hook, when no thread runs and no libuv handle is open any more, and then
 * deletes itself. The objects of its sockets are finalized after that.
 *
 * The threads are not libuv's pool: a send that the kernel keeps for seconds must hold up neither fs and dns nor another socket.
 * There are as many as sockets have been busy at once; they live as long as the environment. A socket's jobs run one at a time,
 * in order.
 */
class Environment {
 public:
  static Environment& create(Napi::Env env);
  explicit Environment(Napi::Env env) : env(env), context(env, "ts-ipvs") { uv_sem_init(&wake_, 0); }
  Environment(const Environment&) = delete;
  ~Environment() { uv_sem_destroy(&wake_); }

  /** Runs the job on a thread. Settles its promise on this one. */
  void submit(std::unique_ptr<Job> job);
  /** Settles the handle's jobs that have not begun with ECANCELED. */
  void cancel(Handle& handle);

  void add(Monitor& monitor);
  void remove(Monitor& monitor) { monitors_.erase(&monitor); }
  /** libuv has let go of a handle of ours. Nothing may follow it: the environment may have waited for this. */
  void closed();

  const Napi::Env env;
  const Napi::AsyncContext context;
  uv_loop_t* loop = nullptr;
  const Scratch scratch;

 private:
  int startThread();
  void work();
  void schedule(Handle& handle);
  void deliver();
  void settle(Job& job);
  void end();

  Cancellation cancellation_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  /** Counts up when there is something in `ready_`, or the end. */
  uv_sem_t wake_;
  std::deque<Handle*> ready_;
  size_t idle_ = 0;
  std::vector<std::unique_ptr<Job>> finished_;
  uv_async_t announce_{};

  size_t unsettled_ = 0;
  std::set<Monitor*> monitors_;
  /** Handles that libuv has: the announcement and the monitors. */
  size_t open_ = 1;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

/** Around what libuv calls: promises that are settled inside go on when it ends. */
struct CallbackScope {
  explicit CallbackScope(const Environment& environment)
      : handles(environment.env), callbacks(environment.env, environment.context) {}
  Napi::HandleScope handles;
  Napi::CallbackScope callbacks;
};

}  // namespace addon
