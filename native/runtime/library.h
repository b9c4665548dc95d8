// One loaded librkllmrt.so: its symbols and what is known about its release.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>
#include <utility>

#include "../errors.h"

namespace rkllm {

// Loaded and examined on the inference thread (the library's constructors run then). Never unloaded: the vendor
// starts threads of its own (OpenMP) that must not lose their code.
class Library {
 public:
  // `path` is absolute. Fails with kRuntimeInvalid and the dynamic linker's own words.
  static Result<std::shared_ptr<const Library>> Open(const std::string& path);

  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() = default;

  const std::string& path() const { return path_; }
  // The same for everything opened from this file, and of no other as long as the process lives.
  const void* id() const { return handle_; }
  // Release as the file states it ("RKLLM SDK (version: X.Y.Z"), such as `1.1.1`; empty when it does not.
  const std::string& version() const { return version_; }

  bool Has(const char* symbol) const { return dlsym(handle_, symbol) != nullptr; }
  // nullptr when the library has no such symbol.
  template <typename Function>
  Function Find(const char* symbol) const {
    return reinterpret_cast<Function>(dlsym(handle_, symbol));
  }

 private:
  Library(std::string path, void* handle, std::string version)
      : path_(std::move(path)), handle_(handle), version_(std::move(version)) {}

  std::string path_;
  void* handle_;  // owned by the process, see above
  std::string version_;
};

}  // namespace rkllm
