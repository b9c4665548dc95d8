// The fake's tokens: a text's words, that is what lies between spaces.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fake {

// One position of the context. `word` is 0 for what is no word; `id` is -1 for what has no id.
struct Token {
  std::int32_t id = -1;
  std::uint32_t word = 0;
};

bool Same(const Token& a, const Token& b);

// FNV-1a of the bytes without the spaces around them; 0 when nothing is left.
std::uint32_t WordHash(const std::string& text);

// FNV-1a of bytes as they are, never 0.
std::uint32_t BytesHash(const void* bytes, std::size_t size);

// A token of a word that the prompt held: its id is made of its hash.
Token WordToken(const std::string& word);

void AppendWords(const std::string& text, std::vector<Token>& tokens);

}  // namespace fake
