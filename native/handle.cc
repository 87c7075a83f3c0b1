#include "handle.h"

namespace addon {

namespace {

/** Marks our objects: what another addon has wrapped would be read as a Handle otherwise. */
constexpr napi_type_tag tag{0x6f1d2b7c90a34e58, 0xa4c85e03d7b9f126};

}  // namespace

void refuse(Napi::Error error, const char* code) {
  error.Set("code", code);
  throw error;
}

Napi::Value makePromise(Napi::Env env, napi_deferred& deferred) {
  napi_value promise = nullptr;
  NAPI_THROW_IF_FAILED(env, napi_create_promise(env, &deferred, &promise), {});
  return {env, promise};
}

Napi::Object Handle::wrap(Environment& environment, Socket socket) {
  const Napi::Env env = environment.env;
  Napi::Object object = Napi::Object::New(env);
  auto handle = std::make_unique<Handle>(environment, std::move(socket));
  auto destroy = [](napi_env, void* handle, void*) { delete static_cast<Handle*>(handle); };
  NAPI_THROW_IF_FAILED(env, napi_wrap(env, object, handle.get(), destroy, nullptr, nullptr), object);
  Handle& owned = *handle.release();
  owned.object_ = Napi::Weak(object);
  object.TypeTag(&tag);
  return object;
}

Handle& Handle::unwrap(Napi::Value value) {
  void* handle = nullptr;
  // Not an External, whose tag cannot be asked for safely: Node takes those of its own, which have none, for an addon's.
  if (value.Type() != napi_object || !value.As<Napi::Object>().CheckTypeTag(&tag) ||
      napi_unwrap(value.Env(), value, &handle) != napi_ok)
    refuse(Napi::TypeError::New(value.Env(), "socket must be one that open() returned"), "ERR_INVALID_ARG_TYPE");
  return *static_cast<Handle*>(handle);
}

Napi::Value Handle::submit(std::unique_ptr<Job> job) {
  const Napi::Value promise = makePromise(environment.env, job->deferred);
  job->handle = this;
  if (unsettled_++ == 0) object_.Ref();
  environment.submit(std::move(job));
  return promise;
}

void Handle::subscribe(Napi::Function callback) {
  monitor = std::make_unique<Monitor>(*this, callback);
  object_.Ref();
}

Napi::Value Handle::close() {
  napi_deferred deferred;
  const Napi::Value promise = makePromise(environment.env, deferred);
  closers_.push_back(deferred);
  if (!std::exchange(closing_, true)) {
    environment.cancel(*this);
    if (monitor) monitor->close();
  }
  closeWhenIdle();
  return promise;
}

void Handle::jobEnded() {
  if (--unsettled_ > 0) return;
  closeWhenIdle();
  object_.Unref();
}

void Handle::monitorEnded() {
  monitor.reset();
  closeWhenIdle();
  object_.Unref();
}

void Handle::closeWhenIdle() {
  if (!closing_ || busy()) return;
  socket.close();
  for (const napi_deferred deferred : std::exchange(closers_, {}))
    napi_resolve_deferred(environment.env, deferred, environment.env.Undefined());
}

}  // namespace addon
