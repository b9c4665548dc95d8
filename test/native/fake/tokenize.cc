#include "tokenize.h"

#include <algorithm>
#include <sstream>

#include "layout.h"
#include "report.h"

namespace fake {
namespace {

// Word by word, each with the space before it, so that the pieces join to the text.
std::vector<Piece> Split(const std::string& text) {
  std::vector<Piece> pieces;
  for (const char c : text) {
    if (pieces.empty() || c == ' ')
      pieces.push_back({Piece::Kind::kText, "", static_cast<std::int32_t>(pieces.size()), 0});
    pieces.back().text += c;
  }
  for (Piece& piece : pieces) piece.word = WordHash(piece.text);
  return pieces;
}

bool Refuse(const Instance& instance, const std::string& why) {
  Log("E rkllm: " + why, instance.script.log);
  Details(instance, "refused: " + why);
  return false;
}

class Tokenizer {
 public:
  Tokenizer(Instance& instance, const RunArguments& arguments) : instance_(instance), arguments_(arguments) {}

  int Fill(RunSetup& setup) {
    for (std::size_t i = 0; i < arguments_.inputs.size(); ++i) {
      const InputArguments& input = arguments_.inputs[i];
      if (Has(Field::kRole) && instance_.script.role_required && input.role.empty()) {
        Refuse(instance_, "the role of the input is not set");
        return -1;
      }
      if (input.role == "tool" && !LooksLikeJson(input.prompt)) {
        Refuse(instance_, "the tool's response is not a JSON string");
        return -1;
      }
      std::vector<Token> tokens = input.tokens;
      std::string text;
      if (input.type == InputType::kPrompt || input.type == InputType::kMultimodal) {
        const std::string system = instance_.kv[i].History() == 0 ? instance_.chat.System() : "";
        text = system + instance_.chat.Turn(input);
        if (!Words(input, text, tokens)) return instance_.script.unanswered_code;
        if (!system.empty()) AppendCount(system);
      }
      Report(input, text);
      if (!Fits(tokens.size())) return instance_.script.overflow_code;
      setup.replies.push_back(Reply(i, input, text, tokens));
      setup.prompts.push_back(std::move(tokens));
    }
    return 0;
  }

 private:
  void AppendCount(const std::string& system) {
    std::vector<Token> tokens;
    AppendWords(system, tokens);
    instance_.system_tokens = tokens.size();
  }

  bool Words(const InputArguments& input, const std::string& text, std::vector<Token>& tokens) const {
    if (instance_.script.no_tokenizer) return AskTokenizer(instance_, text, tokens);
    tokens = Expand(text, input.media);
    return true;
  }

  // Up to 1.2.1b1 four tokens less than the window. Refused without any event.
  bool Fits(std::size_t tokens) const {
    const int limit = instance_.arguments.max_context_len - (AtLeast(Generation::kG3) ? 0 : 4);
    if (static_cast<int>(tokens) <= limit) return true;
    Log("error: prompt gather than max context (prompt: " + std::to_string(tokens) +
            " tokens, max context: " + std::to_string(limit) + ")",
        instance_.script.log);
    return false;
  }

  void Report(const InputArguments& input, const std::string& text) const {
    if (!instance_.script.details) return;
    const char* const types[] = {"prompt", "tokens", "embeddings", "multimodal"};
    std::string line = std::string("input ") + types[static_cast<int>(input.type)];
    if (Has(Field::kRole)) {
      line += " role=" + (input.role.empty() ? "NULL" : input.role);
      line += std::string(" enable_thinking=") + (input.thinking ? "1" : "0");
    }
    Trace(line + (text.empty() ? " n_tokens=" + std::to_string(input.tokens.size()) : " text=" + Quoted(text)));
    for (const Media& media : input.media) Trace("media " + media.summary);
  }

  // What the script says, else an echo. Without a tokenizer there is no text: the ids come back.
  std::vector<Piece> Reply(std::size_t row, const InputArguments& input, const std::string& text,
                           const std::vector<Token>& tokens) const {
    const auto& replies = instance_.script.replies;
    const auto& rows = replies[std::min(instance_.runs, replies.size() - 1)];
    const auto& scripted = rows[std::min(row, rows.size() - 1)];
    if (!scripted.empty()) return scripted;
    std::ostringstream echo;
    if (input.type == InputType::kTokens) {
      echo << "Tokens:";
      for (const Token& token : tokens) echo << ' ' << token.id;
    } else if (input.type == InputType::kEmbeddings) {
      echo << "Embeddings: " << tokens.size();
    } else if (instance_.script.no_tokenizer) {
      std::vector<Piece> pieces;
      pieces.reserve(tokens.size());
      for (const Token& token : tokens) pieces.push_back({Piece::Kind::kNull, "", token.id, 0});
      return pieces;
    } else {
      echo << "You said: " << text;
    }
    return Split(echo.str());
  }

  Instance& instance_;
  const RunArguments& arguments_;
};

}  // namespace

bool AskTokenizer(const Instance& instance, const std::string& text, std::vector<Token>& tokens) {
  using Function = int (*)(void*, const char*, std::int32_t, std::int32_t*, std::int32_t);
  const auto function = reinterpret_cast<Function>(const_cast<void*>(instance.callbacks.tokenizer));
  if (function == nullptr) return Refuse(instance, "the model has no tokenizer and there is no tokenizer callback");
  const std::int32_t limit =
      instance.script.tokenizer_max > 0 ? instance.script.tokenizer_max : instance.arguments.max_context_len;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(limit), -1);
  const int count = function(instance.callbacks.tokenizer_userdata, text.c_str(),
                             static_cast<std::int32_t>(text.size()), ids.data(), limit);
  Details(instance, "tokenized " + Quoted(text) + " to " + std::to_string(count));
  if (count > limit) Violation("the tokenizer callback returned more than it may");
  if (count < 0 && instance.script.unanswered_ignored) return true;
  if (count < 0 || count > limit) return Refuse(instance, "the tokenizer callback failed");
  for (int i = 0; i < count; ++i) {
    const std::int32_t id = ids[static_cast<std::size_t>(i)];
    if (id < 0) Violation("the tokenizer callback has not written all tokens");
    tokens.push_back({id, 0});
  }
  return true;
}

int Tokenize(Instance& instance, const RunArguments& arguments, RunSetup& setup) {
  return Tokenizer(instance, arguments).Fill(setup);
}

}  // namespace fake
