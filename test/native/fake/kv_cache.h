// What the runtime remembers between runs (reference 3.7): the positions of its context, and which of them are history.
#pragma once

#include <cstddef>
#include <vector>

#include "words.h"

namespace fake {

class KvCache {
 public:
  void SetWindow(std::size_t window, std::size_t n_keep) {
    window_ = window;
    n_keep_ = n_keep;
  }

  // The history and then `prompt` become the content. Returns how many positions need not be computed: those that the
  // last run or the prompt cache had at the same place. At least one always has to be.
  std::size_t Begin(const std::vector<Token>& prompt, bool reuse, const std::vector<Token>& prompt_cache);
  // A generated token. False when it needs more than the window and may not shift it.
  bool Append(const Token& token, bool shift);
  // Without `keep_history` what was stored of earlier runs stays history.
  void End(bool keep_history);

  void Clear(std::size_t keep_first);
  // Positions [start, end) go.
  bool Erase(int start, int end);

  std::size_t Size() const { return content_.size(); }
  std::size_t History() const { return history_.size(); }

 private:
  void Shift();

  std::size_t window_ = 1;
  std::size_t n_keep_ = 0;
  std::vector<Token> content_;
  std::vector<Token> history_;
};

}  // namespace fake
