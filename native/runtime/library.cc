#include "library.h"

#include <array>
#include <cstdio>
#include <string_view>

namespace rkllm {
namespace {

constexpr std::string_view kVersionMark = "RKLLM SDK (version: ";
constexpr std::size_t kLongestVersion = 24;
constexpr std::size_t kPieceSize = 65536;

// "1.1.1 | target: …" gives "1.1.1"; suffixes such as the b1 of 1.2.1b1 are part of the version.
std::string VersionAt(std::string_view text) {
  const std::size_t length = text.find_first_not_of("0123456789.abcdefghijklmnopqrstuvwxyz");
  return std::string(text.substr(0, length == std::string_view::npos ? 0 : length));
}

// Reads the file in pieces: the library has megabytes, and mapping it would turn a truncated file into a SIGBUS.
std::string ScanVersion(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return {};
  constexpr std::size_t kOverlap = kVersionMark.size() + kLongestVersion;
  std::string window;
  std::array<char, kPieceSize> piece{};
  bool more = true;
  while (more) {
    const std::size_t count = std::fread(piece.data(), 1, piece.size(), file.get());
    more = count > 0;
    window.append(piece.data(), count);
    const std::string_view text = window;
    const std::size_t at = text.find(kVersionMark);
    if (at != std::string_view::npos && (text.size() - at >= kOverlap || !more)) {
      return VersionAt(text.substr(at + kVersionMark.size(), kLongestVersion));
    }
    if (window.size() > kOverlap) window.erase(0, window.size() - kOverlap);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Library>> Library::Open(const std::string& path) {
  // RTLD_NOW: a missing dependency shows here and not in the middle of a run. RTLD_LOCAL: two releases in one
  // process do not see each other's symbols.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* reason = dlerror();
    const std::string text = reason != nullptr ? reason : "unknown reason";
    return Error{
        ErrorCode::kRuntimeInvalid, "The runtime cannot be loaded: " + text, {{"path", path}, {"dlerror", text}}};
  }
  return std::shared_ptr<const Library>(new Library(path, handle, ScanVersion(path)));
}

}  // namespace rkllm
