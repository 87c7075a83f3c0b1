#pragma once

#include <node_api.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "socket.h"

namespace addon {

class Environment;
class Handle;

/** A strong reference to a JavaScript value. */
class Reference {
 public:
  Reference() = default;
  Reference(napi_env env, napi_value value) : env_(env) {
    if (napi_create_reference(env, value, 1, &ref_) != napi_ok) ref_ = nullptr;
  }
  Reference(Reference&& other) noexcept : env_(other.env_), ref_(std::exchange(other.ref_, nullptr)) {}
  Reference& operator=(Reference&& other) noexcept {
    env_ = other.env_;
    std::swap(ref_, other.ref_);
    return *this;
  }
  ~Reference() {
    if (ref_ != nullptr) napi_delete_reference(env_, ref_);
  }

  explicit operator bool() const { return ref_ != nullptr; }
  /** Null when there is none any more. */
  napi_value get() const {
    napi_value value = nullptr;
    return ref_ != nullptr && napi_get_reference_value(env_, ref_, &value) == napi_ok ? value : nullptr;
  }

 private:
  napi_env env_ = nullptr;
  napi_ref ref_ = nullptr;
};

/** Builds an object. Null when the environment is ending or out of memory: then an exception is pending, or nobody is left to see
 * it. */
class Object {
 public:
  explicit Object(napi_env env) : env_(env), ok_(napi_create_object(env, &object_) == napi_ok) {}

  Object& set(const char* name, napi_value value) {
    ok_ = ok_ && value != nullptr && napi_set_named_property(env_, object_, name, value) == napi_ok;
    return *this;
  }
  Object& set(const char* name, double number) {
    napi_value value = nullptr;
    ok_ = ok_ && napi_create_double(env_, number, &value) == napi_ok;
    return set(name, value);
  }
  Object& set(const char* name, bool flag) {
    napi_value value = nullptr;
    ok_ = ok_ && napi_get_boolean(env_, flag, &value) == napi_ok;
    return set(name, value);
  }
  Object& set(const char* name, const char* text) {
    napi_value value = nullptr;
    ok_ = ok_ && napi_create_string_utf8(env_, text, NAPI_AUTO_LENGTH, &value) == napi_ok;
    return set(name, value);
  }
  Object& set(const Failure& failure) { return set("errno", double(failure.error)).set("syscall", failure.syscall); }
  napi_value get() const { return ok_ ? object_ : nullptr; }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
  bool ok_;
};

napi_async_context asyncContext(napi_env env, const char* name);
/** Rejects with the exception that is pending; does nothing when there is none. */
void rejectWithPending(napi_env env, napi_deferred deferred);
/** Hands an exception that a callback threw to 'uncaughtException'. */
void raiseUncaught(napi_env env);

inline napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  return napi_create_double(env, value, &result) == napi_ok ? result : nullptr;
}

/**
 * The arguments of one call. The first that is wrong leaves an exception pending, and reading goes on with empty values: look at
 * `ok` once, after the last.
 */
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env(env) {
    size_t count = sizeof values_ / sizeof *values_;
    void* data = nullptr;
    ok_ = napi_get_cb_info(env, info, &count, values_, nullptr, &data) == napi_ok;
    environment = static_cast<Environment*>(data);
  }

  bool ok() const { return ok_; }
  napi_value operator[](size_t index) const { return values_[index]; }

  /** Null when it is not a socket of ours, or closed. */
  Handle* socket(size_t index);
  /** The same, closed or not. */
  Handle* anySocket(size_t index);

  uint32_t uint32(size_t index, const char* name) {
    uint32_t value = 0;
    expect(napi_get_value_uint32(env, values_[index], &value), name, "a number");
    return value;
  }
  int int32(size_t index, const char* name) {
    int32_t value = 0;
    expect(napi_get_value_int32(env, values_[index], &value), name, "a number");
    return value;
  }
  double real(size_t index, const char* name) {
    double value = 0;
    expect(napi_get_value_double(env, values_[index], &value), name, "a number");
    return value;
  }
  /** 0 for what is not a number of milliseconds above 0. */
  uint32_t milliseconds(size_t index, const char* name) {
    const double value = std::ceil(real(index, name));
    return value > 0 && value <= INT32_MAX ? static_cast<uint32_t>(value) : 0;
  }
  Bytes bytes(size_t index, const char* name);
  std::string string(size_t index, const char* name);
  napi_value function(size_t index, const char* name) {
    napi_valuetype type = napi_undefined;
    if (ok_ && napi_typeof(env, values_[index], &type) == napi_ok && type == napi_function) return values_[index];
    expect(napi_function_expected, name, "a function");
    return nullptr;
  }
  bool isNull(size_t index) const {
    napi_valuetype type = napi_undefined;
    return ok_ && napi_typeof(env, values_[index], &type) == napi_ok && type == napi_null;
  }

  /** Throws a TypeError unless the status is ok. */
  void expect(napi_status status, const char* name, const char* expected) {
    if (!ok_ || status == napi_ok) return;
    char message[128];
    std::snprintf(message, sizeof message, "%s must be %s", name, expected);
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
    ok_ = false;
  }
  napi_value refuse(const char* code, const char* message) {
    if (ok_) napi_throw_error(env, code, message);
    ok_ = false;
    return nullptr;
  }

  const napi_env env;
  Environment* environment = nullptr;

 private:
  napi_value values_[5] = {};
  bool ok_;
};

}  // namespace addon
