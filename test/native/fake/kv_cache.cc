#include "kv_cache.h"

#include <algorithm>

namespace fake {
namespace {

std::size_t CommonPrefix(const std::vector<Token>& a, const std::vector<Token>& b) {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t length = 0;
  while (length < limit && Same(a[length], b[length])) ++length;
  return length;
}

void EraseRange(std::vector<Token>& tokens, std::size_t from, std::size_t to) {
  tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(from), tokens.begin() + static_cast<std::ptrdiff_t>(to));
}

}  // namespace

std::size_t KvCache::Begin(const std::vector<Token>& prompt, bool reuse, const std::vector<Token>& prompt_cache) {
  std::vector<Token> last = std::move(content_);
  content_ = history_;
  content_.insert(content_.end(), prompt.begin(), prompt.end());
  std::size_t known = CommonPrefix(content_, prompt_cache);
  if (reuse) known = std::max(known, CommonPrefix(content_, last));
  const std::size_t reused = content_.empty() ? 0 : std::min(known, content_.size() - 1);
  while (content_.size() > window_) Shift();
  return reused;
}

bool KvCache::Append(const Token& token, bool shift) {
  if (content_.size() >= window_) {
    if (!shift) return false;
    Shift();
  }
  content_.push_back(token);
  return true;
}

// The first n_keep positions stay, of the rest the older half goes.
void KvCache::Shift() {
  const std::size_t keep = std::min(n_keep_, window_ - 1);
  const std::size_t from = std::min(keep, content_.size() - 1);
  EraseRange(content_, from, from + (content_.size() - from + 1) / 2);
}

void KvCache::End(bool keep_history) {
  if (keep_history) history_ = content_;
}

void KvCache::Clear(std::size_t keep_first) {
  if (keep_first < content_.size()) content_.resize(keep_first);
  if (keep_first < history_.size()) history_.resize(keep_first);
}

bool KvCache::Erase(int start, int end) {
  if (start < 0 || end < start || static_cast<std::size_t>(end) > content_.size()) return false;
  EraseRange(content_, static_cast<std::size_t>(start), static_cast<std::size_t>(end));
  return true;
}

}  // namespace fake
