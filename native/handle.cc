#include "handle.h"

#include "environment.h"
#include "monitor.h"

namespace addon {

namespace {

/** Marks our objects: what another addon has wrapped would be read as a Handle otherwise. */
constexpr napi_type_tag tag{0x6f1d2b7c90a34e58, 0xa4c85e03d7b9f126};

}  // namespace

napi_value Handle::wrap(Environment& environment, Socket socket) {
  const napi_env env = environment.env;
  napi_value object;
  auto* handle = new Handle(environment, std::move(socket));
  // It may be the last to go: the environment can have ended before.
  auto destroy = [](napi_env env, void* data, void*) {
    auto* handle = static_cast<Handle*>(data);
    if (handle->object_ != nullptr) napi_delete_reference(env, handle->object_);
    delete handle;
  };
  if (napi_create_object(env, &object) != napi_ok || napi_wrap(env, object, handle, destroy, nullptr, nullptr) != napi_ok) {
    delete handle;
    return nullptr;
  }
  // From here on the object owns it.
  if (napi_type_tag_object(env, object, &tag) != napi_ok) return nullptr;
  if (napi_create_reference(env, object, 0, &handle->object_) != napi_ok) return nullptr;
  return object;
}

Handle* Handle::unwrap(napi_env env, napi_value value) {
  // Not an External, whose tag cannot be asked for safely: Node takes those of its own, which have none, for an addon's.
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return nullptr;
  bool ours = false;
  if (napi_check_object_type_tag(env, value, &tag, &ours) != napi_ok || !ours) return nullptr;
  void* data = nullptr;
  return napi_unwrap(env, value, &data) == napi_ok ? static_cast<Handle*>(data) : nullptr;
}

void Handle::hold() { napi_reference_ref(environment.env, object_, nullptr); }
void Handle::release() { napi_reference_unref(environment.env, object_, nullptr); }

void Handle::jobBegins() {
  if (unsettled_++ == 0) hold();
}

void Handle::jobEnds() {
  if (--unsettled_ > 0) return;
  closeWhenIdle();
  release();
}

void Handle::monitorEnds() {
  monitor = nullptr;
  closeWhenIdle();
  release();
}

void Handle::close(napi_deferred deferred) {
  closers_.push_back(deferred);
  if (!closing_) {
    closing_ = true;
    environment.cancel(*this);
    if (monitor != nullptr) monitor->close();
  }
  closeWhenIdle();
}

void Handle::closeWhenIdle() {
  if (!closing_ || busy()) return;
  socket.close();
  napi_value nothing;
  if (napi_get_undefined(environment.env, &nothing) != napi_ok) return;
  for (const napi_deferred deferred : closers_) napi_resolve_deferred(environment.env, deferred, nothing);
  closers_.clear();
}

}  // namespace addon
