#include "environment.h"

#include <algorithm>
#include <cerrno>

#include "js.h"
#include "monitor.h"

namespace addon {

namespace {

uv_handle_t* asHandle(uv_async_t* async) { return reinterpret_cast<uv_handle_t*>(async); }

napi_value toJs(napi_env env, const Reply& reply) {
  napi_value data;
  if (napi_create_buffer_copy(env, reply.data.size(), reply.data.data(), nullptr, &data) != napi_ok) return nullptr;
  return Object(env)
      .set("data", data)
      .set(reply.failure)
      .set("sent", double(reply.sent))
      .set("datagrams", double(reply.datagrams))
      .set("lost", reply.lost)
      .set("complete", reply.complete)
      .get();
}

}  // namespace

Environment* Environment::create(napi_env env) {
  uv_loop_t* loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  auto* environment = new Environment(env, loop);
  environment->context = asyncContext(env, "ts-ipvs");
  auto deliver = [](uv_async_t* async) { static_cast<Environment*>(async->data)->deliver(); };
  environment->announce_.data = environment;
  if (!environment->workers_.usable() || environment->context == nullptr ||
      uv_async_init(loop, &environment->announce_, deliver) != 0) {
    delete environment;
    napi_throw_error(env, "EMFILE", "ts-ipvs: no descriptor left to watch its threads with");
    return nullptr;
  }
  uv_unref(asHandle(&environment->announce_));
  auto end = [](napi_async_cleanup_hook_handle, void* data) { static_cast<Environment*>(data)->end(); };
  if (napi_add_async_cleanup_hook(env, end, environment, &environment->hook_) != napi_ok) {
    environment->close();
    return nullptr;
  }
  return environment;
}

Environment::~Environment() {
  if (context != nullptr) napi_async_destroy(env, context);
}

void Environment::submit(std::unique_ptr<Job> job) {
  job->handle->jobBegins();
  if (unsettled_++ == 0) uv_ref(asHandle(&announce_));
  const int error = workers_.submit(job->handle->lane, job);
  if (error == 0) return;
  job->reply.failure = {error, "pthread_create"};
  settle(*job);
}

void Environment::cancel(Handle& handle) {
  for (const std::unique_ptr<Job>& job : workers_.cancel(handle.lane)) {
    job->reply.failure = {ECANCELED, "sendmsg"};
    settle(*job);
  }
}

void Environment::deliver() {
  if (ending_) return endWhenIdle();
  const Jobs jobs = workers_.finished();
  if (jobs.empty()) return;
  CallbackScope scope(env, context);
  for (const std::unique_ptr<Job>& job : jobs) settle(*job);
}

void Environment::settle(Job& job) {
  if (const napi_value reply = toJs(env, job.reply))
    napi_resolve_deferred(env, job.deferred, reply);
  else
    rejectWithPending(env, job.deferred);
  if (--unsettled_ == 0) uv_unref(asHandle(&announce_));
  job.handle->jobEnds();
}

void Environment::remove(Monitor& monitor) {
  monitors_.erase(std::find(monitors_.begin(), monitors_.end(), &monitor));
  if (ending_) endWhenIdle();
}

void Environment::end() {
  ending_ = true;
  uv_ref(asHandle(&announce_));  // Node turns the loop until the hook is removed: it must wait there, not spin
  workers_.stop();
  for (Monitor* monitor : monitors_) monitor->close();
  endWhenIdle();
}

void Environment::endWhenIdle() {
  if (!workers_.stopped() || !monitors_.empty() || uv_is_closing(asHandle(&announce_))) return;
  workers_.join();
  close();
}

void Environment::close() {
  uv_close(asHandle(&announce_), [](uv_handle_t* async) {
    auto* environment = static_cast<Environment*>(async->data);
    const napi_async_cleanup_hook_handle hook = environment->hook_;
    delete environment;
    if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
  });
}

}  // namespace addon
