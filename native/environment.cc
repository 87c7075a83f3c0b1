#include <sys/prctl.h>

#include <algorithm>

#include "handle.h"

namespace addon {

namespace {

uv_handle_t* asHandle(uv_async_t* async) { return reinterpret_cast<uv_handle_t*>(async); }

Napi::Object toJs(Napi::Env env, const Reply& reply) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("data", Napi::Buffer<uint8_t>::Copy(env, reply.data.data(), reply.data.size()));
  object.Set("errno", reply.failure.error);
  object.Set("syscall", reply.failure.syscall);
  object.Set("sent", reply.sent);
  object.Set("lost", reply.lost);
  object.Set("datagrams", reply.datagrams);
  object.Set("complete", reply.complete);
  return object;
}

}  // namespace

Environment& Environment::create(Napi::Env env) {
  auto environment = std::make_unique<Environment>(env);
  uv_async_t* announce = &environment->announce_;
  announce->data = environment.get();
  auto deliver = [](uv_async_t* async) { static_cast<Environment*>(async->data)->deliver(); };
  NAPI_THROW_IF_FAILED(env, napi_get_uv_event_loop(env, &environment->loop), *environment);
  if (environment->cancellation_.fd() < 0 || uv_async_init(environment->loop, announce, deliver) != 0)
    refuse(Napi::Error::New(env, "ts-ipvs: no descriptor left to end its threads with"), "EMFILE");
  uv_unref(asHandle(announce));

  auto end = [](napi_async_cleanup_hook_handle, void* data) { static_cast<Environment*>(data)->end(); };
  Environment& own = *environment.release();
  if (napi_add_async_cleanup_hook(env, end, &own, &own.hook_) == napi_ok) return own;
  own.end();
  throw Napi::Error::New(env);
}

void Environment::submit(std::unique_ptr<Job> job) {
  Handle& handle = *job->handle;
  if (unsettled_++ == 0) uv_ref(asHandle(&announce_));
  std::unique_lock lock(mutex_);
  const int error = !handle.scheduled && ready_.size() >= idle_ ? startThread() : 0;
  if (error != 0 && threads_.empty()) {
    lock.unlock();
    job->reply.failure = {error, "pthread_create"};
    return settle(*job);
  }
  handle.waiting.push_back(std::move(job));
  if (!handle.scheduled) schedule(handle);
}

void Environment::cancel(Handle& handle) {
  std::unique_lock lock(mutex_);
  const auto queued = std::find(ready_.begin(), ready_.end(), &handle);
  if (queued != ready_.end()) {
    ready_.erase(queued);
    handle.scheduled = false;
  }
  const auto jobs = std::exchange(handle.waiting, {});
  lock.unlock();
  for (const auto& job : jobs) {
    job->reply.failure = {ECANCELED, "sendmsg"};
    settle(*job);
  }
}

/** Returns 0 or an errno. */
int Environment::startThread() {
  try {
    threads_.emplace_back(&Environment::work, this);
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  idle_++;
  return 0;
}

void Environment::schedule(Handle& handle) {
  handle.scheduled = true;
  ready_.push_back(&handle);
  uv_sem_post(&wake_);
}

void Environment::work() {
  prctl(PR_SET_NAME, "ts-ipvs");
  const Scratch scratch;
  for (;;) {
    uv_sem_wait(&wake_);
    std::unique_lock lock(mutex_);
    if (cancellation_.raised()) return;
    if (ready_.empty()) continue;  // it was cancelled
    Handle& handle = *ready_.front();
    ready_.pop_front();
    std::unique_ptr<Job> job = std::move(handle.waiting.front());
    handle.waiting.pop_front();
    idle_--;
    lock.unlock();

    Transaction transaction(handle.socket, scratch, cancellation_, job->timeout);
    job->work(transaction);
    job->reply = transaction.take();

    lock.lock();
    idle_++;
    handle.scheduled = false;
    if (!handle.waiting.empty()) schedule(handle);
    finished_.push_back(std::move(job));  // once it is settled the handle may be gone
    uv_async_send(&announce_);
  }
}

void Environment::deliver() {
  std::unique_lock lock(mutex_);
  const auto jobs = std::exchange(finished_, {});
  lock.unlock();
  if (jobs.empty()) return;
  CallbackScope scope(*this);
  for (const auto& job : jobs) settle(*job);
}

void Environment::settle(Job& job) {
  try {
    napi_resolve_deferred(env, job.deferred, toJs(env, job.reply));
  } catch (const Napi::Error& error) {
    // Too large for a Buffer; or the environment is ending: it refuses this too, and nobody waits.
    napi_reject_deferred(env, job.deferred, error.Value());
  }
  if (--unsettled_ == 0) uv_unref(asHandle(&announce_));
  job.handle->jobEnded();
}

void Environment::add(Monitor& monitor) {
  monitors_.insert(&monitor);
  open_++;
}

/** Waits for the threads: what waits is cancelled, and what the kernel is at cannot be. */
void Environment::end() {
  cancellation_.raise();
  for (size_t i = 0; i < threads_.size(); i++) uv_sem_post(&wake_);
  for (std::thread& thread : threads_) thread.join();
  for (Monitor* monitor : monitors_) monitor->close();
  uv_close(asHandle(&announce_), [](uv_handle_t* async) { static_cast<Environment*>(async->data)->closed(); });
}

void Environment::closed() {
  if (--open_ > 0) return;
  const napi_async_cleanup_hook_handle hook = hook_;
  delete this;
  if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
}

}  // namespace addon
