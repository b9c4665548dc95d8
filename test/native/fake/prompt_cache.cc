#include "prompt_cache.h"

#include <fstream>
#include <iterator>

#include "layout.h"
#include "memory.h"

namespace fake {
namespace {

// {43 or 0, 8, count}, the ids, and a trailer of 16 bytes.
constexpr std::size_t kHead = 12;
constexpr char kTrailer[16] = {'n', 's', 'e', 'g'};

}  // namespace

bool SavePromptCache(const std::string& path, const std::vector<Token>& tokens) {
  std::vector<char> bytes(kHead + 4 * tokens.size());
  WriteAt<std::int32_t>(bytes.data(), 0, AtLeast(Generation::kG4) ? 0 : 43);
  WriteAt<std::int32_t>(bytes.data(), 4, 8);
  WriteAt<std::int32_t>(bytes.data(), 8, static_cast<std::int32_t>(tokens.size()));
  std::size_t at = kHead;
  for (const Token& token : tokens) {
    WriteAt<std::int32_t>(bytes.data(), at, token.id);
    at += 4;
  }
  bytes.insert(bytes.end(), std::begin(kTrailer), std::end(kTrailer));
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  return file.good();
}

std::optional<std::vector<Token>> LoadPromptCache(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.size() < kHead + sizeof(kTrailer) || ReadAt<std::int32_t>(bytes.data(), 4) != 8) return std::nullopt;
  const auto count = static_cast<std::size_t>(ReadAt<std::int32_t>(bytes.data(), 8));
  if (count > bytes.size() || bytes.size() != kHead + 4 * count + sizeof(kTrailer)) return std::nullopt;
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < count; ++i) tokens.push_back({ReadAt<std::int32_t>(bytes.data(), kHead + 4 * i), 0});
  return tokens;
}

bool Readable(const std::string& path) { return std::ifstream(path).good(); }

}  // namespace fake
