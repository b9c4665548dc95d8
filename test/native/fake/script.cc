#include "script.h"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "ends.h"
#include "report.h"
#include "vendor_failures.h"
#include "words.h"

namespace fake {
namespace {

// \n, \\ and \xHH: a model file can hold any bytes and stay readable.
std::string Unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char code = text[++i];
    if (code == 'n') {
      out += '\n';
    } else if (code == 'x' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += code;
    }
  }
  return out;
}

class Parser {
 public:
  bool Line(const std::string& line) {
    const std::size_t space = line.find(' ');
    const std::string command = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    const auto known = commands_.find(command);
    if (known == commands_.end()) return false;
    known->second(rest);
    return understood_;
  }

  const Script& script() const { return script_; }

 private:
  using Action = std::function<void(const std::string&)>;

  Action Int(int& field) {
    return [&field](const std::string& rest) { field = std::atoi(rest.c_str()); };
  }
  Action Flag(bool& field, bool value = true) {
    return [&field, value](const std::string&) { field = value; };
  }
  Action Word(std::string& field) {
    return [&field](const std::string& rest) { field = rest; };
  }
  void Add(Piece::Kind kind, const std::string& text) {
    script_.replies.back().back().push_back({kind, text, next_id_++, WordHash(text)});
  }
  Action Reply(Piece::Kind kind) {
    return [this, kind](const std::string& text) { Add(kind, Unescape(text)); };
  }

  // A token for each byte, as byte-level vocabularies have them.
  void AddBytes(const std::string& rest) {
    for (const char c : Unescape(rest)) Add(Piece::Kind::kText, std::string(1, c));
  }

  // A token for each byte as the newer runtimes report them: text only with the last byte of a character.
  void AddCharacters(const std::string& rest) {
    const std::string text = Unescape(rest);
    std::string character;
    for (std::size_t i = 0; i < text.size(); ++i) {
      character += text[i];
      const bool last = i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0U) != 0x80U;
      Add(last ? Piece::Kind::kText : Piece::Kind::kWaiting, last ? character : "");
      if (last) character.clear();
    }
  }

  void AddFill(const std::string& rest) {
    const std::size_t space = rest.find(' ');
    const std::string unit = space == std::string::npos ? "x" : Unescape(rest.substr(space + 1));
    std::string text;
    for (std::int64_t left = std::atoll(rest.c_str()); left > 0; --left) text += unit;
    Add(Piece::Kind::kText, text);
  }

  void AddFailure(const std::string& rest) {
    Failure failure;
    std::istringstream(rest) >> failure.place >> failure.how >> failure.after;
    if (failure.after == 0) failure.after = 1;
    understood_ = IsFailurePlace(failure.place) && IsEnd(failure.how);
    script_.failures.push_back(failure);
  }

  void AddFailAs(const std::string& name) {
    understood_ = IsVendorFailure(name);
    script_.fails_as.push_back(name);
  }

  void AddSaying(const std::string& rest, bool on_stderr) {
    const std::size_t space = rest.find(' ');
    const std::string line = space == std::string::npos ? "" : Unescape(rest.substr(space + 1));
    script_.sayings.push_back({rest.substr(0, space), line, on_stderr});
    understood_ = IsPlace(script_.sayings.back().place);
  }

  void SetFalseSuccess(const std::string& how) {
    understood_ = IsEnd(how) || how == "error";
    script_.init_false_success = how;
  }

  void AddScribble(const std::string& rest) {
    Scribble scribble;
    std::istringstream words(rest);
    words >> scribble.place >> scribble.descriptor >> scribble.bytes;
    scribble.bytes = Unescape(scribble.bytes);
    script_.scribbles.push_back(scribble);
  }

  Script script_;
  bool understood_ = true;  // the last command's arguments
  std::int32_t next_id_ = 1000;
  const std::map<std::string, Action> commands_ = {
      {"journal", [](const std::string& path) { SetJournal(path); }},
      {"details", Flag(script_.details)},
      {"log", Flag(script_.log)},
      {"print", [this](const std::string& rest) { AddSaying(rest, false); }},
      {"print-stderr", [this](const std::string& rest) { AddSaying(rest, true); }},
      {"write", [this](const std::string& rest) { AddScribble(rest); }},
      {"fail", [this](const std::string& rest) { AddFailure(rest); }},
      {"fail-as", [this](const std::string& name) { AddFailAs(name); }},

      {"init-code", Int(script_.init_code)},
      {"init-delay-ms", Int(script_.init_delay_ms)},
      {"init-null-handle", Flag(script_.init_null_handle)},
      {"init-false-success", [this](const std::string& how) { SetFalseSuccess(how); }},
      {"destroy-delay-ms", Int(script_.destroy_delay_ms)},
      {"destroy-code", Int(script_.destroy_code)},
      {"max-context", Int(script_.max_context)},
      {"max-context-exclusive", Flag(script_.max_context_exclusive)},
      {"context-step", Int(script_.context_step)},
      {"npu-cores", Int(script_.npu_cores)},
      {"keeps-pointers", Flag(script_.keeps_pointers)},

      {"token", Reply(Piece::Kind::kText)},
      {"null", Reply(Piece::Kind::kNull)},
      {"waiting", Reply(Piece::Kind::kWaiting)},
      {"waiting-text", Reply(Piece::Kind::kPartial)},
      {"bytes", [this](const std::string& rest) { AddBytes(rest); }},
      {"characters", [this](const std::string& rest) { AddCharacters(rest); }},
      {"fill", [this](const std::string& rest) { AddFill(rest); }},
      {"id", [this](const std::string& id) { next_id_ = std::atoi(id.c_str()); }},
      {"next-reply", [this](const std::string&) { script_.replies.emplace_back(1); }},
      {"next-row", [this](const std::string&) { script_.replies.back().emplace_back(); }},
      {"repeat", [this](const std::string& times) { script_.repeat = std::atoll(times.c_str()); }},
      {"endless", [this](const std::string&) { script_.repeat = -1; }},
      {"prefill-ms", Int(script_.prefill_ms)},
      {"token-us", Int(script_.token_us)},
      {"foreign-thread", Flag(script_.foreign_thread)},
      {"silent", Flag(script_.silent)},
      {"silent-runs",
       [this](const std::string& count) {
         script_.silent = true;
         script_.silent_runs = static_cast<std::size_t>(std::atoi(count.c_str()));
       }},
      {"eos", Word(script_.eos)},
      {"eos-id", Int(script_.eos_id)},

      {"run-code", Int(script_.run_code)},
      {"no-finish", Flag(script_.finish, false)},
      {"finish-id", Int(script_.finish_id)},
      {"finish-last-id", Flag(script_.finish_last_id)},
      {"null-result", Flag(script_.null_result)},
      {"error-after", [this](const std::string& tokens) { script_.error_after = std::atoll(tokens.c_str()); }},
      {"extra-state", [this](const std::string& state) { script_.extra_state = std::atoi(state.c_str()); }},
      {"after-finish", Int(script_.after_finish)},
      {"late-event", [this](const std::string& ms) { script_.late_event_ms = std::atoi(ms.c_str()); }},
      {"enter-delay-ms", [this](const std::string& ms) { script_.enter_delay_ms = std::atoi(ms.c_str()); }},
      {"return-delay-ms", [this](const std::string& ms) { script_.return_delay_ms = std::atoi(ms.c_str()); }},
      {"pause-ignored", Flag(script_.pause_ignored)},
      {"pause-finish", Flag(script_.pause_finish)},
      {"run-async", Word(script_.run_async)},

      {"abort-after-prefill", Flag(script_.abort_in_prefill, false)},
      {"abort-delay-ms", Int(script_.abort_delay_ms)},
      {"abort-ignored", Flag(script_.abort_ignored)},
      {"abort-code", Int(script_.abort_code)},
      {"abort-no-finish", Flag(script_.abort_finish, false)},
      {"abort-error", Flag(script_.abort_error)},
      {"after-abort", Int(script_.after_abort)},
      {"abort-call-code", Int(script_.abort_call_code)},
      {"abort-idle-code", Int(script_.abort_idle_code)},
      {"abort-idle-sticks", Flag(script_.abort_idle_sticks)},

      {"template-broken", Flag(script_.template_broken)},
      {"role-required", Flag(script_.role_required)},
      {"no-prefix-reuse", Flag(script_.prefix_reuse, false)},
      {"no-prompt-cache", Flag(script_.prompt_cache, false)},
      {"no-context-shift", Flag(script_.context_shift, false)},
      {"n-keep-default", Int(script_.n_keep_default)},
      {"overflow-code", Int(script_.overflow_code)},

      {"embed-dim", Int(script_.embed_dim)},
      {"vocab", Int(script_.vocab)},
      {"payload-no-finish", Flag(script_.payload_finish, false)},
      {"payload-bare-first", Flag(script_.payload_bare_first)},
      {"payload-null", Flag(script_.payload_null)},
      {"payload-repeat", Int(script_.payload_repeat)},

      {"no-tokenizer", Flag(script_.no_tokenizer)},
      {"ask-at-init", Flag(script_.ask_at_init)},
      {"tokenizer-max", Int(script_.tokenizer_max)},
      {"no-embedding", Flag(script_.no_embedding)},
      {"embed-chunk", Int(script_.embed_chunk)},
      {"unanswered-code", Int(script_.unanswered_code)},
      {"unanswered-ignored", Flag(script_.unanswered_ignored)},
  };
};

}  // namespace

std::optional<Script> LoadScript(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != "#fake-rkllm") return std::nullopt;
  Parser parser;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (parser.Line(line)) continue;
    Violation(
        std::string("the model file ").append(path).append(" has a command that is not understood: ").append(line));
    return std::nullopt;
  }
  return parser.script();
}

}  // namespace fake
