#include "chat.h"

#include <map>

#include "layout.h"

namespace fake {

void Chat::SetTemplate(const char* system, const char* prefix, const char* postfix) {
  custom_ = true;
  system_ = system;
  prefix_ = prefix;
  postfix_ = postfix;
}

void Chat::SetTools(const char* system, const char* tools, const char* response_tag) {
  system_ = system;
  tools_ = std::string("[tools] ") + tools + " [tag] " + response_tag + " ";
}

std::string Chat::System() const {
  if (!AtLeast(Generation::kG2)) return "";
  if (custom_) return system_;  // tools are not injected then
  if (broken_ || (system_.empty() && tools_.empty())) return "";
  return "[system] " + system_ + " " + tools_;
}

std::string Chat::Turn(const InputArguments& input) const {
  if (!AtLeast(Generation::kG2)) return input.prompt;
  if (custom_) return prefix_ + input.prompt + postfix_;
  if (broken_) return input.prompt;
  const std::string role = input.role.empty() ? "user" : input.role;
  return "[" + role + "] " + input.prompt + " [assistant]" + (input.thinking ? " [think]" : "");
}

bool LooksLikeJson(const std::string& text) {
  const char* const spaces = " \t\r\n";
  const std::size_t from = text.find_first_not_of(spaces);
  if (from == std::string::npos) return false;
  const std::map<char, char> ends = {{'[', ']'}, {'{', '}'}, {'"', '"'}};
  const auto end = ends.find(text[from]);
  const std::size_t last = text.find_last_not_of(spaces);
  return end != ends.end() && last > from && text[last] == end->second;
}

std::vector<Token> Expand(const std::string& text, const std::vector<Media>& media) {
  std::vector<Token> tokens;
  std::map<std::string, std::size_t> used;
  std::size_t at = 0;
  for (;;) {
    const Media* next = nullptr;
    std::size_t where = std::string::npos;
    for (const Media& candidate : media) {
      const std::size_t found = text.find(candidate.tag, at);
      if (found >= where) continue;
      where = found;
      next = &candidate;
    }
    AppendWords(text.substr(at, next == nullptr ? std::string::npos : where - at), tokens);
    if (next == nullptr) return tokens;
    const std::size_t first = used[next->tag]++ * next->tokens;
    tokens.push_back(WordToken("start-of-" + next->tag));
    for (std::size_t i = first; i < first + next->tokens && i < next->content.size(); ++i)
      tokens.push_back(next->content[i]);
    tokens.push_back(WordToken("end-of-" + next->tag));
    at = where + next->tag.size();
  }
}

}  // namespace fake
