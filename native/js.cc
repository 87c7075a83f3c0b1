#include "js.h"

#include "handle.h"

namespace addon {

namespace {

bool takePending(napi_env env, napi_value* exception) {
  bool pending = false;
  return napi_is_exception_pending(env, &pending) == napi_ok && pending &&
         napi_get_and_clear_last_exception(env, exception) == napi_ok;
}

}  // namespace

napi_async_context asyncContext(napi_env env, const char* name) {
  napi_value text;
  napi_async_context context;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text) != napi_ok) return nullptr;
  return napi_async_init(env, nullptr, text, &context) == napi_ok ? context : nullptr;
}

void rejectWithPending(napi_env env, napi_deferred deferred) {
  napi_value exception;
  if (takePending(env, &exception)) napi_reject_deferred(env, deferred, exception);
}

void raiseUncaught(napi_env env) {
  napi_value exception;
  if (takePending(env, &exception)) napi_fatal_exception(env, exception);
}

Handle* Arguments::anySocket(size_t index) {
  if (!ok_) return nullptr;
  Handle* handle = Handle::unwrap(env, values_[index]);
  expect(handle != nullptr ? napi_ok : napi_invalid_arg, "socket", "a socket that open() returned");
  return handle;
}

Handle* Arguments::socket(size_t index) {
  Handle* handle = anySocket(index);
  if (handle == nullptr || !handle->closed()) return handle;
  refuse("ERR_SOCKET_CLOSED", "The socket is closed");
  return nullptr;
}

Bytes Arguments::bytes(size_t index, const char* name) {
  if (!ok_) return {};
  bool typed = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_is_typedarray(env, values_[index], &typed) == napi_ok && typed &&
      napi_get_typedarray_info(env, values_[index], &type, &length, &data, nullptr, nullptr) == napi_ok &&
      type == napi_uint8_array)
    return {static_cast<const uint8_t*>(data), length};
  expect(napi_invalid_arg, name, "a Uint8Array");
  return {};
}

std::string Arguments::string(size_t index, const char* name) {
  size_t length = 0;
  std::string text;
  if (!ok_) return text;
  napi_status status = napi_get_value_string_utf8(env, values_[index], nullptr, 0, &length);
  text.resize(length);
  if (status == napi_ok) status = napi_get_value_string_utf8(env, values_[index], text.data(), length + 1, &length);
  expect(status, name, "a string");
  return text;
}

}  // namespace addon
