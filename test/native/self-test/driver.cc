#include "driver.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <utility>

namespace self_test {
namespace {

int failures = 0;

int OnResult(void* result, void* userdata, std::int32_t state) {
  return static_cast<Model*>(userdata)->Receive(result, state);
}

template <typename T>
T At(const void* base, std::size_t offset) {
  T value;
  std::memcpy(&value, static_cast<const unsigned char*>(base) + offset, sizeof(value));
  return value;
}

struct Big {
  alignas(16) unsigned char bytes[512];
};

}  // namespace

void Expect(bool condition, const std::string& what) {
  if (condition) return;
  ++failures;
  std::printf("  wrong: %s\n", what.c_str());
}

int Failures() { return failures; }

std::string Outcome::Text() const {
  std::string text;
  for (const Event& event : events) text += event.text;
  return text;
}

std::string Outcome::States() const {
  std::string states;
  for (const Event& event : events) states += std::to_string(event.state);
  return states;
}

Runtime::Runtime(const std::string& library, const Shape& shape)
    : shape_(shape), library_(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (library_ != nullptr) return;
  std::printf("%s\n", dlerror());
  std::exit(2);
}

void* Runtime::Address(const char* name) const {
  void* address = dlsym(library_, name);
  if (address != nullptr) return address;
  std::printf("%s\n", dlerror());
  std::exit(2);
}

std::vector<unsigned char> Runtime::Defaults() const {
  std::vector<unsigned char> place(sizeof(Big) + 16, 0xAA);
  void* start = place.data();
  std::size_t space = place.size();
  std::align(16, sizeof(Big), start, space);
  auto* big = new (start) Big(Symbol<Big()>("rkllm_createDefaultParam")());
  return {std::begin(big->bytes), std::end(big->bytes)};
}

Model::Model(const Runtime& runtime, const std::vector<std::string>& script)
    : param(runtime.GetShape().param_size),
      input(runtime.GetShape().input_size),
      infer(runtime.GetShape().infer_size),
      callback(48),
      sampling(36),
      runtime_(runtime) {
  static int models = 0;
  const char* directory = std::getenv("TMPDIR");
  path_ = std::string(directory == nullptr ? "/tmp" : directory) + "/self-test-" + std::to_string(getpid()) + "-" +
          std::to_string(models++) + ".rkllm";
  std::ofstream file(path_);
  file << "#fake-rkllm\njournal " << path_ << ".journal\n";
  for (const std::string& line : script) file << line << '\n';

  const Shape& shape = runtime.GetShape();
  const std::vector<unsigned char> defaults = runtime.Defaults();
  for (std::size_t i = 0; i < shape.reserved; ++i) param.Set<unsigned char>(i, defaults[i]);
  // What createDefaultParam leaves as it was.
  for (std::size_t i = shape.is_async + 1; i < (shape.generation < 4 ? (shape.is_async + 7) & ~std::size_t{7} : 60);
       ++i)
    param.Set<unsigned char>(i, 0);
  param.Set(0, path_.c_str());
  param.Set<std::int32_t>(8, 64);
  if (shape.mask != kNone) {
    for (std::size_t i = shape.cpus + 1; i < shape.mask; ++i) param.Set<unsigned char>(i, 0);
    param.Set<std::uint32_t>(shape.mask, 0xF0);
  }
  callback.Set(0, &OnResult);
  const float values[] = {0.5F, 0.7F, 1.0F, 0.0F, 0.0F};
  sampling.Set<std::int32_t>(0, 3);
  for (std::size_t i = 0; i < 5; ++i) sampling.Set(4 + 4 * i, values[i]);
  userdata = this;
}

Model::~Model() {
  if (handle_ != nullptr) Destroy();
  std::remove(path_.c_str());
  std::remove((path_ + ".journal").c_str());
}

int Model::Init() {
  void* given = runtime_.From(4) ? callback.Data() : reinterpret_cast<void*>(&OnResult);
  if (callback_override != nullptr) given = callback_override;
  return runtime_.Symbol<int(void**, void*, void*)>("rkllm_init")(&handle_, param.Data(), given);
}

int Model::Destroy() {
  void* handle = std::exchange(handle_, nullptr);
  return runtime_.Symbol<int(void*)>("rkllm_destroy")(handle);
}

void Model::SetData(int type, const void* data, std::size_t count) {
  input.Set<std::int32_t>(runtime_.GetShape().type, type);
  input.Set(runtime_.GetShape().data, data);
  input.Set(runtime_.GetShape().data + 8, count);
}

Outcome Model::Run(const std::string& prompt) {
  prompt_ = prompt;
  SetData(0, prompt_.c_str());
  return RunPrepared();
}

Outcome Model::RunPrepared() {
  outcome_ = {};
  thread_ = std::this_thread::get_id();
  const int code = Call("rkllm_run", input.Data(), infer.Data(), userdata);
  const std::lock_guard<std::mutex> lock(mutex_);
  Outcome outcome = outcome_;
  outcome.code = code;
  return outcome;
}

int Model::Receive(const void* result, std::int32_t state) {
  const std::lock_guard<std::mutex> lock(mutex_);
  outcome_.events.push_back(Read(result, state));
  return on_event ? on_event(outcome_.events.back()) : 0;
}

std::vector<std::string> Model::Journal() const {
  std::vector<std::string> lines;
  std::ifstream file(path_ + ".journal");
  std::string line;
  while (std::getline(file, line)) lines.push_back(line);
  return lines;
}

bool Model::Noted(const std::string& text) const {
  for (const std::string& line : Journal()) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

Event Model::Read(const void* result, std::int32_t state) const {
  const Shape& shape = runtime_.GetShape();
  Event event;
  event.state = state;
  event.own_thread = std::this_thread::get_id() == thread_;
  event.has_result = result != nullptr;
  if (result == nullptr) return event;
  const char* text = At<const char*>(result, 0);
  event.has_text = text != nullptr;
  if (text != nullptr) event.text = text;
  event.id = At<std::int32_t>(result, 8);
  for (const std::size_t at : {std::size_t{16}, shape.logits}) {
    if (at == kNone) continue;
    const auto* values = At<const float*>(result, at);
    if (values == nullptr) continue;
    event.rows = At<std::int32_t>(result, at + 12);
    event.values.assign(values, values + std::ptrdiff_t{At<std::int32_t>(result, at + 8)} * event.rows);
  }
  if (shape.perf != kNone && state == 2) {
    event.prefill_tokens = At<std::int32_t>(result, shape.perf + 4);
    event.generate_tokens = At<std::int32_t>(result, shape.perf + 12);
  }
  const int batch = shape.n_batch == kNone ? 1 : param.Get<std::uint8_t>(shape.n_batch);
  for (int i = 0; i < batch; ++i)
    event.batch_ids.push_back(At<std::int32_t>(result, static_cast<std::size_t>(i) * shape.result_size + 8));
  return event;
}

}  // namespace self_test
