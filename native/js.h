#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

/** Builds an object. Null when that fails: an exception is pending then, or the environment is ending and nobody sees it. */
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

/** A handle scope and a callback scope: promises that are settled inside go on when it ends. */
class CallbackScope {
 public:
  CallbackScope(napi_env env, napi_async_context context);
  ~CallbackScope();
  CallbackScope(const CallbackScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope handles_ = nullptr;
  napi_callback_scope callbacks_ = nullptr;
};

napi_value number(napi_env env, double value);
napi_async_context asyncContext(napi_env env, const char* name);
/** Rejects with the exception that is pending; does nothing when there is none. */
void rejectWithPending(napi_env env, napi_deferred deferred);
/** Hands an exception that a callback threw to 'uncaughtException'. */
void raiseUncaught(napi_env env);

/**
 * The arguments of one call. The first that is wrong leaves an exception pending, and reading goes on with empty values: look at
 * `ok` once, after the last.
 */
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);

  bool ok() const { return ok_; }
  napi_value operator[](size_t index) const { return values_[index]; }

  /** Null when it is not a socket of ours, or closed. */
  Handle* socket(size_t index);
  /** The same, closed or not. */
  Handle* anySocket(size_t index);
  int64_t integer(size_t index, const char* name) { return toInteger(values_[index], name); }
  /** 0 for what is not a number of milliseconds above 0. */
  uint32_t milliseconds(size_t index, const char* name);
  Bytes bytes(size_t index, const char* name);
  std::string string(size_t index, const char* name);
  napi_value function(size_t index, const char* name);
  bool isNull(size_t index) const { return typeOf(values_[index]) == napi_null; }

  /** Properties of an options object. */
  int64_t integer(napi_value object, const char* name, int64_t absent);
  std::vector<int> integers(napi_value object, const char* name);

  /** Throws, and returns what the call then returns. */
  napi_value refuse(const char* code, const char* message, decltype(napi_throw_error)& raise = napi_throw_error);

  const napi_env env;
  Environment* environment = nullptr;

 private:
  napi_valuetype typeOf(napi_value value) const;
  int64_t toInteger(napi_value value, const char* name);
  /** Null when it is not there. */
  napi_value property(napi_value object, const char* name);
  /** Throws a TypeError unless it is so. */
  void expect(bool so, const char* name, const char* expected);

  napi_value values_[5] = {};
  bool ok_;
};

}  // namespace addon
