/** The functions of addon.d.cts, which says what each does. */

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "environment.h"
#include "js.h"
#include "monitor.h"
#include "netns.h"

namespace addon {

namespace {

/** The property when it is there, or null. */
napi_value property(Arguments& arguments, napi_value object, const char* name) {
  napi_value value;
  napi_valuetype type;
  if (!arguments.ok()) return nullptr;
  if (napi_get_named_property(arguments.env, object, name, &value) != napi_ok) {
    arguments.expect(napi_object_expected, "options", "an object");
    return nullptr;
  }
  return napi_typeof(arguments.env, value, &type) == napi_ok && type != napi_undefined ? value : nullptr;
}

int integer(Arguments& arguments, napi_value value, const char* name) {
  int32_t integer = 0;
  arguments.expect(napi_get_value_int32(arguments.env, value, &integer), name, "a number");
  return integer;
}

int integer(Arguments& arguments, napi_value object, const char* name, int absent) {
  const napi_value value = property(arguments, object, name);
  return value != nullptr ? integer(arguments, value, name) : absent;
}

std::vector<int> integers(Arguments& arguments, napi_value object, const char* name) {
  std::vector<int> integers;
  const napi_value array = property(arguments, object, name);
  if (array == nullptr) return integers;
  uint32_t length = 0;
  arguments.expect(napi_get_array_length(arguments.env, array, &length), name, "an array");
  for (uint32_t i = 0; i < length && arguments.ok(); i++) {
    napi_value element;
    arguments.expect(napi_get_element(arguments.env, array, i, &element), name, "an array of numbers");
    if (arguments.ok()) integers.push_back(integer(arguments, element, name));
  }
  return integers;
}

OpenOptions openOptions(Arguments& arguments) {
  const napi_value object = arguments[0];
  OpenOptions options;
  const napi_value protocol = property(arguments, object, "protocol");
  if (protocol == nullptr)
    arguments.expect(napi_number_expected, "protocol", "a number");
  else
    options.protocol = integer(arguments, protocol, "protocol");
  options.netns = integer(arguments, object, "netns", -1);
  options.groups = integers(arguments, object, "groups");
  options.receiveBuffer = integer(arguments, object, "receiveBuffer", 0);
  options.sendBuffer = integer(arguments, object, "sendBuffer", 0);
  options.destination = static_cast<uint32_t>(integer(arguments, object, "destination", 0));
  return options;
}

napi_value open(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const OpenOptions options = openOptions(arguments);
  if (!arguments.ok()) return nullptr;

  Socket socket;
  const Failure failure = Socket::open(options, socket);
  Object opened(env);
  opened.set(failure).set("portId", double(socket.portId()));
  opened.set("receiveBuffer", double(socket.bufferSize(SO_RCVBUF))).set("sendBuffer", double(socket.bufferSize(SO_SNDBUF)));
  if (!failure) opened.set("socket", Handle::wrap(*arguments.environment, std::move(socket)));
  return opened.get();
}

/** `buffer` is what the request lies in, or null. */
napi_value submit(Arguments& arguments, Handle* handle, std::unique_ptr<Job> job, napi_value buffer) {
  if (!arguments.ok()) return nullptr;
  if (handle->monitor != nullptr)
    return arguments.refuse("ERR_SOCKET_IN_USE", "The socket is subscribed: open another one for requests");
  napi_value promise;
  if (buffer != nullptr && !(job->buffer = Reference(arguments.env, buffer))) return nullptr;
  if (napi_create_promise(arguments.env, &job->deferred, &promise) != napi_ok) return nullptr;
  job->handle = handle;
  arguments.environment->submit(std::move(job));
  return promise;
}

napi_value exchange(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  auto job = std::make_unique<Job>(Job::Kind::exchange);
  Handle* handle = arguments.socket(0);
  job->request = arguments.bytes(1, "request");
  job->last = arguments.uint32(2, "last");
  job->timeout = arguments.milliseconds(3, "timeout");
  return submit(arguments, handle, std::move(job), arguments[1]);
}

napi_value page(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  auto job = std::make_unique<Job>(Job::Kind::page);
  Handle* handle = arguments.socket(0);
  const bool goOn = arguments.isNull(1);
  if (!goOn) job->request = arguments.bytes(1, "request");
  job->last = arguments.uint32(2, "last");
  job->size = std::max(arguments.uint32(3, "size"), 1u);
  job->timeout = arguments.milliseconds(4, "timeout");
  return submit(arguments, handle, std::move(job), goOn ? nullptr : arguments[1]);
}

napi_value dumpMany(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  auto job = std::make_unique<Job>(Job::Kind::dumpMany);
  Handle* handle = arguments.socket(0);
  job->request = arguments.bytes(1, "requests");
  job->timeout = arguments.milliseconds(2, "timeout");
  if (arguments.ok() && !Transaction::wellFormed(job->request)) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "requests must be whole netlink messages: an nlmsg_len is wrong");
    return nullptr;
  }
  return submit(arguments, handle, std::move(job), arguments[1]);
}

napi_value subscribe(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Handle* handle = arguments.socket(0);
  const napi_value callback = arguments.function(1, "onDatagrams");
  if (!arguments.ok()) return nullptr;
  if (handle->busy()) return arguments.refuse("ERR_SOCKET_IN_USE", "The socket is subscribed or has requests in flight");
  Monitor::start(*handle, callback);
  return nullptr;
}

napi_value ref(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const Handle* handle = arguments.socket(0);
  if (arguments.ok() && handle->monitor != nullptr) handle->monitor->ref();
  return nullptr;
}

napi_value unref(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const Handle* handle = arguments.socket(0);
  if (arguments.ok() && handle->monitor != nullptr) handle->monitor->unref();
  return nullptr;
}

napi_value membership(Arguments& arguments, int option) {
  const Handle* handle = arguments.socket(0);
  const int group = arguments.int32(1, "group");
  return arguments.ok() ? number(arguments.env, handle->socket.membership(option, group)) : nullptr;
}

napi_value join(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  return membership(arguments, NETLINK_ADD_MEMBERSHIP);
}

napi_value leave(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  return membership(arguments, NETLINK_DROP_MEMBERSHIP);
}

napi_value close(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Handle* handle = arguments.anySocket(0);
  napi_deferred deferred;
  napi_value promise;
  if (!arguments.ok() || napi_create_promise(env, &deferred, &promise) != napi_ok) return nullptr;
  handle->close(deferred);
  return promise;
}

napi_value namespaceOf(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const Handle* handle = arguments.socket(0);
  return arguments.ok() ? number(env, handle->socket.namespaceOf()) : nullptr;
}

napi_value openIn(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int netns = arguments.int32(0, "netns");
  const std::string path = arguments.string(1, "path");
  const int flags = arguments.int32(2, "flags");
  if (!arguments.ok()) return nullptr;

  int fd = -1;
  const int refused = inNamespace(netns, [&] {
    fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0) fd = -errno;
  });
  return Object(env).set("fd", double(refused != 0 ? -refused : fd)).set("entered", refused == 0).get();
}

napi_value init(napi_env env, napi_value exports) {
  Environment* environment = Environment::create(env);
  if (environment == nullptr) return nullptr;
  const std::pair<const char*, napi_callback> functions[] = {
      {"open", open},   {"exchange", exchange}, {"page", page},     {"dumpMany", dumpMany},
      {"ref", ref},     {"unref", unref},       {"join", join},     {"subscribe", subscribe},
      {"leave", leave}, {"close", close},       {"openIn", openIn}, {"namespaceOf", namespaceOf},
  };
  for (const auto& [name, function] : functions) {
    napi_value value;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, environment, &value) != napi_ok ||
        napi_set_named_property(env, exports, name, value) != napi_ok)
      return nullptr;
  }
  return exports;
}

}  // namespace

}  // namespace addon

NAPI_MODULE_INIT() { return addon::init(env, exports); }
