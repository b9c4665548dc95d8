#include "words.h"

#include <sstream>

namespace fake {

bool Same(const Token& a, const Token& b) { return (a.id >= 0 && a.id == b.id) || (a.word != 0 && a.word == b.word); }

std::uint32_t WordHash(const std::string& text) {
  const char* const spaces = " \t\r\n";
  const std::size_t from = text.find_first_not_of(spaces);
  if (from == std::string::npos) return 0;
  return BytesHash(text.data() + from, text.find_last_not_of(spaces) - from + 1);
}

std::uint32_t BytesHash(const void* bytes, std::size_t size) {
  std::uint32_t hash = 2166136261U;
  for (std::size_t i = 0; i < size; ++i) {
    hash ^= static_cast<const unsigned char*>(bytes)[i];
    hash *= 16777619U;
  }
  return hash == 0 ? 1 : hash;
}

Token WordToken(const std::string& word) {
  const std::uint32_t hash = WordHash(word);
  return {static_cast<std::int32_t>(hash & 0x3FFFFFFFU), hash};
}

void AppendWords(const std::string& text, std::vector<Token>& tokens) {
  std::istringstream words(text);
  std::string word;
  while (words >> word) tokens.push_back(WordToken(word));
}

}  // namespace fake
