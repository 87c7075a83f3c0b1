/** The functions of addon.d.cts, which says what each does. */

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cmath>

#include "handle.h"

namespace addon {

namespace {

int64_t integer(Napi::Value value) { return value.As<Napi::Number>().Int64Value(); }

int option(Napi::Object options, const char* name, int absent) {
  const Napi::Value value = options.Get(name);
  return value.IsUndefined() ? absent : static_cast<int>(integer(value));
}

Napi::Value open(const Napi::CallbackInfo& info) {
  const auto given = info[0].As<Napi::Object>();
  OpenOptions options;
  options.protocol = static_cast<int>(integer(given.Get("protocol")));
  options.netns = option(given, "netns", -1);
  options.receiveBuffer = option(given, "receiveBuffer", 0);
  options.sendBuffer = option(given, "sendBuffer", 0);
  options.destination = static_cast<uint32_t>(option(given, "destination", 0));
  const Napi::Value groups = given.Get("groups");
  for (uint32_t i = 0; groups.IsArray() && i < groups.As<Napi::Array>().Length(); i++)
    options.groups.push_back(static_cast<int>(integer(groups.As<Napi::Array>().Get(i))));

  Socket socket;
  const Failure failure = Socket::open(options, socket);
  Napi::Object opened = Napi::Object::New(info.Env());
  opened.Set("errno", failure.error);
  opened.Set("syscall", failure.syscall);
  opened.Set("portId", socket.portId());
  opened.Set("receiveBuffer", socket.bufferSize(SO_RCVBUF));
  opened.Set("sendBuffer", socket.bufferSize(SO_SNDBUF));
  opened.Set("netnsCookie", Napi::BigInt::New(info.Env(), socket.netnsCookie()));
  if (!failure) opened.Set("socket", Handle::wrap(*static_cast<Environment*>(info.Data()), std::move(socket)));
  return opened;
}

/** The socket that is the first argument of a call. */
Handle& openSocket(const Napi::CallbackInfo& info) {
  Handle& handle = Handle::unwrap(info[0]);
  if (handle.closed()) refuse(Napi::Error::New(info.Env(), "The socket is closed"), "ERR_SOCKET_CLOSED");
  return handle;
}

/** 0 for what is not a number of milliseconds above 0. */
uint32_t milliseconds(Napi::Value value) {
  const double number = std::ceil(value.As<Napi::Number>().DoubleValue());
  return number > 0 && number <= INT32_MAX ? static_cast<uint32_t>(number) : 0;
}

Bytes bytes(Napi::Value value) {
  if (!value.IsBuffer()) throw Napi::TypeError::New(value.Env(), "a request must be a Uint8Array");
  const auto buffer = value.As<Napi::Buffer<uint8_t>>();
  return {buffer.Data(), buffer.Length()};
}

/** @param request what its bytes lie in, or null */
Napi::Value submit(Handle& handle, Napi::Value request, Napi::Value timeout, std::function<void(Transaction&)> work) {
  if (handle.monitor)
    refuse(Napi::Error::New(request.Env(), "The socket is subscribed: open another one for requests"), "ERR_SOCKET_IN_USE");
  auto job = std::make_unique<Job>();
  job->work = std::move(work);
  job->timeout = milliseconds(timeout);
  if (!request.IsNull()) job->request = Napi::Persistent(request.As<Napi::Object>());
  return handle.submit(std::move(job));
}

Napi::Value exchange(const Napi::CallbackInfo& info) {
  Handle& handle = openSocket(info);
  const Bytes request = bytes(info[1]);
  const auto last = static_cast<uint32_t>(integer(info[2]));
  return submit(handle, info[1], info[3], [=](Transaction& transaction) {
    transaction.exchange(request, last);
  });
}

Napi::Value page(const Napi::CallbackInfo& info) {
  Handle& handle = openSocket(info);
  const bool goOn = info[1].IsNull();
  const Bytes request = goOn ? Bytes{} : bytes(info[1]);
  const auto last = static_cast<uint32_t>(integer(info[2]));
  const auto size = static_cast<size_t>(std::max<int64_t>(integer(info[3]), 1));
  return submit(handle, info[1], info[4], [=](Transaction& transaction) {
    if (goOn || transaction.send(request)) transaction.receive(last, size);
  });
}

Napi::Value dumpMany(const Napi::CallbackInfo& info) {
  Handle& handle = openSocket(info);
  const Bytes requests = bytes(info[1]);
  if (!Transaction::wellFormed(requests))
    refuse(Napi::RangeError::New(info.Env(), "requests must be whole netlink messages: an nlmsg_len is wrong"),
           "ERR_OUT_OF_RANGE");
  return submit(handle, info[1], info[2], [=](Transaction& transaction) { transaction.dumpMany(requests); });
}

void subscribe(const Napi::CallbackInfo& info) {
  Handle& handle = openSocket(info);
  if (!info[1].IsFunction()) throw Napi::TypeError::New(info.Env(), "onDatagrams must be a function");
  if (handle.busy())
    refuse(Napi::Error::New(info.Env(), "The socket is subscribed or has requests in flight"), "ERR_SOCKET_IN_USE");
  handle.subscribe(info[1].As<Napi::Function>());
}

void ref(const Napi::CallbackInfo& info) {
  if (const auto& monitor = openSocket(info).monitor) monitor->ref();
}

void unref(const Napi::CallbackInfo& info) {
  if (const auto& monitor = openSocket(info).monitor) monitor->unref();
}

template <int option>
Napi::Value membership(const Napi::CallbackInfo& info) {
  const Socket& socket = openSocket(info).socket;
  return Napi::Number::New(info.Env(), socket.membership(option, static_cast<int>(integer(info[1]))));
}

Napi::Value close(const Napi::CallbackInfo& info) { return Handle::unwrap(info[0]).close(); }

Napi::Value namespaceOf(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), openSocket(info).socket.namespaceOf());
}

Napi::Value openIn(const Napi::CallbackInfo& info) {
  const auto netns = static_cast<int>(integer(info[0]));
  const std::string path = info[1].As<Napi::String>();
  const auto flags = static_cast<int>(integer(info[2]));
  int fd = -1;
  const int refused = inNamespace(netns, [&] {
    fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0) fd = -errno;
  });
  Napi::Object opened = Napi::Object::New(info.Env());
  opened.Set("fd", refused != 0 ? -refused : fd);
  opened.Set("entered", refused == 0);
  return opened;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  Environment& environment = Environment::create(env);
  exports.Set("open", Napi::Function::New<open>(env, "open", &environment));
  exports.Set("exchange", Napi::Function::New<exchange>(env, "exchange"));
  exports.Set("page", Napi::Function::New<page>(env, "page"));
  exports.Set("dumpMany", Napi::Function::New<dumpMany>(env, "dumpMany"));
  exports.Set("subscribe", Napi::Function::New<subscribe>(env, "subscribe"));
  exports.Set("ref", Napi::Function::New<ref>(env, "ref"));
  exports.Set("unref", Napi::Function::New<unref>(env, "unref"));
  exports.Set("join", Napi::Function::New<membership<NETLINK_ADD_MEMBERSHIP>>(env, "join"));
  exports.Set("leave", Napi::Function::New<membership<NETLINK_DROP_MEMBERSHIP>>(env, "leave"));
  exports.Set("close", Napi::Function::New<close>(env, "close"));
  exports.Set("namespaceOf", Napi::Function::New<namespaceOf>(env, "namespaceOf"));
  exports.Set("openIn", Napi::Function::New<openIn>(env, "openIn"));
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init)

}  // namespace addon
