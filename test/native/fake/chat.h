// The chat template (reference 3.8) and what it makes of an input. On by default from 1.2.0.
#pragma once

#include <string>
#include <vector>

#include "arguments.h"

namespace fake {

class Chat {
 public:
  void SetTemplate(const char* system, const char* prefix, const char* postfix);
  void SetTools(const char* system, const char* tools, const char* response_tag);
  // A model whose own template the runtime cannot parse.
  void Break() { broken_ = true; }

  // What comes before the first turn only.
  std::string System() const;
  // One turn, without the system part.
  std::string Turn(const InputArguments& input) const;

 private:
  bool custom_ = false;
  bool broken_ = false;
  std::string system_;
  std::string prefix_;
  std::string postfix_;
  std::string tools_;
};

// Whether it could be JSON, as role "tool" demands. Looks at the first and the last character only.
bool LooksLikeJson(const std::string& text);

// The words of a multimodal text, with the content in place of the tags.
std::vector<Token> Expand(const std::string& text, const std::vector<Media>& media);

}  // namespace fake
