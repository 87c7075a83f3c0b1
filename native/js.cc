#include "js.h"

#include <cmath>

#include "handle.h"

namespace addon {

namespace {

bool takePending(napi_env env, napi_value* exception) {
  bool pending = false;
  return napi_is_exception_pending(env, &pending) == napi_ok && pending &&
         napi_get_and_clear_last_exception(env, exception) == napi_ok;
}

}  // namespace

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  return napi_create_double(env, value, &result) == napi_ok ? result : nullptr;
}

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

CallbackScope::CallbackScope(napi_env env, napi_async_context context) : env_(env) {
  napi_value resource;
  if (napi_open_handle_scope(env_, &handles_) != napi_ok) return;
  if (napi_create_object(env_, &resource) != napi_ok) return;
  if (napi_open_callback_scope(env_, resource, context, &callbacks_) != napi_ok) callbacks_ = nullptr;
}

CallbackScope::~CallbackScope() {
  if (callbacks_ != nullptr) napi_close_callback_scope(env_, callbacks_);
  if (handles_ != nullptr) napi_close_handle_scope(env_, handles_);
}

Arguments::Arguments(napi_env env, napi_callback_info info) : env(env) {
  size_t count = sizeof values_ / sizeof *values_;
  void* data = nullptr;
  ok_ = napi_get_cb_info(env, info, &count, values_, nullptr, &data) == napi_ok;
  environment = static_cast<Environment*>(data);
}

Handle* Arguments::anySocket(size_t index) {
  Handle* handle = Handle::unwrap(env, values_[index]);
  expect(handle != nullptr, "socket", "a socket that open() returned");
  return handle;
}

Handle* Arguments::socket(size_t index) {
  Handle* handle = anySocket(index);
  if (handle == nullptr || !handle->closed()) return handle;
  refuse("ERR_SOCKET_CLOSED", "The socket is closed");
  return nullptr;
}

uint32_t Arguments::milliseconds(size_t index, const char* name) {
  double value = 0;
  expect(napi_get_value_double(env, values_[index], &value) == napi_ok, name, "a number");
  value = std::ceil(value);
  return value > 0 && value <= INT32_MAX ? static_cast<uint32_t>(value) : 0;
}

Bytes Arguments::bytes(size_t index, const char* name) {
  bool typed = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  typed = napi_is_typedarray(env, values_[index], &typed) == napi_ok && typed &&
          napi_get_typedarray_info(env, values_[index], &type, &length, &data, nullptr, nullptr) == napi_ok;
  expect(typed && type == napi_uint8_array, name, "a Uint8Array");
  return ok_ ? Bytes{static_cast<const uint8_t*>(data), length} : Bytes{};
}

std::string Arguments::string(size_t index, const char* name) {
  size_t length = 0;
  napi_status status = napi_get_value_string_utf8(env, values_[index], nullptr, 0, &length);
  std::string text(length, '\0');
  if (status == napi_ok) status = napi_get_value_string_utf8(env, values_[index], text.data(), length + 1, &length);
  expect(status == napi_ok, name, "a string");
  return text;
}

napi_value Arguments::function(size_t index, const char* name) {
  expect(typeOf(values_[index]) == napi_function, name, "a function");
  return values_[index];
}

int64_t Arguments::integer(napi_value object, const char* name, int64_t absent) {
  const napi_value value = property(object, name);
  return value != nullptr ? toInteger(value, name) : absent;
}

std::vector<int> Arguments::integers(napi_value object, const char* name) {
  std::vector<int> integers;
  const napi_value array = property(object, name);
  if (array == nullptr) return integers;
  uint32_t length = 0;
  expect(napi_get_array_length(env, array, &length) == napi_ok, name, "an array");
  for (uint32_t i = 0; i < length && ok_; i++) {
    napi_value element = nullptr;
    if (napi_get_element(env, array, i, &element) != napi_ok)
      ok_ = false;
    else
      integers.push_back(static_cast<int>(toInteger(element, name)));
  }
  return integers;
}

napi_value Arguments::refuse(const char* code, const char* message, decltype(napi_throw_error)& raise) {
  if (ok_) raise(env, code, message);
  ok_ = false;
  return nullptr;
}

napi_valuetype Arguments::typeOf(napi_value value) const {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok ? type : napi_undefined;
}

int64_t Arguments::toInteger(napi_value value, const char* name) {
  int64_t integer = 0;
  expect(napi_get_value_int64(env, value, &integer) == napi_ok, name, "a number");
  return integer;
}

napi_value Arguments::property(napi_value object, const char* name) {
  napi_value value = nullptr;
  expect(typeOf(object) == napi_object, "options", "an object");
  if (ok_ && napi_get_named_property(env, object, name, &value) != napi_ok) ok_ = false;  // a getter that threw
  return ok_ && typeOf(value) != napi_undefined ? value : nullptr;
}

void Arguments::expect(bool so, const char* name, const char* expected) {
  if (so) return;
  const std::string message = std::string(name) + " must be " + expected;
  refuse("ERR_INVALID_ARG_TYPE", message.c_str(), napi_throw_type_error);
}

}  // namespace addon
