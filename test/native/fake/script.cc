#include "script.h"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>

#include "report.h"

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
    return true;
  }

  const Script& script() const { return script_; }

 private:
  using Action = std::function<void(const std::string&)>;

  Action Int(int& field) {
    return [&field](const std::string& rest) { field = std::atoi(rest.c_str()); };
  }
  Action Flag(bool& field, bool value) {
    return [&field, value](const std::string&) { field = value; };
  }
  void Add(Piece::Kind kind, const std::string& text) { script_.reply.push_back({kind, Unescape(text), next_id_++}); }

  Script script_;
  std::int32_t next_id_ = 1000;
  const std::map<std::string, Action> commands_ = {
      {"journal", [](const std::string& path) { SetJournal(path); }},
      {"init-code", Int(script_.init_code)},
      {"init-delay-ms", Int(script_.init_delay_ms)},
      {"init-null-handle", Flag(script_.init_null_handle, true)},
      {"destroy-delay-ms", Int(script_.destroy_delay_ms)},
      {"token", [this](const std::string& text) { Add(Piece::Kind::kText, text); }},
      {"null", [this](const std::string&) { Add(Piece::Kind::kNull, ""); }},
      {"waiting", [this](const std::string&) { Add(Piece::Kind::kWaiting, ""); }},
      {"id", [this](const std::string& id) { next_id_ = std::atoi(id.c_str()); }},
      {"repeat", [this](const std::string& times) { script_.repeat = std::atoll(times.c_str()); }},
      {"endless", [this](const std::string&) { script_.repeat = -1; }},
      {"prefill-ms", Int(script_.prefill_ms)},
      {"token-us", Int(script_.token_us)},
      {"foreign-thread", Flag(script_.foreign_thread, true)},
      {"run-code", Int(script_.run_code)},
      {"no-finish", Flag(script_.finish, false)},
      {"null-result", Flag(script_.null_result, true)},
      {"error-after", [this](const std::string& tokens) { script_.error_after = std::atoll(tokens.c_str()); }},
      {"extra-state", [this](const std::string& state) { script_.extra_state = std::atoi(state.c_str()); }},
      {"after-finish", Int(script_.after_finish)},
      {"abort-after-prefill", Flag(script_.abort_in_prefill, false)},
      {"abort-delay-ms", Int(script_.abort_delay_ms)},
      {"abort-ignored", Flag(script_.abort_ignored, true)},
      {"abort-code", Int(script_.abort_code)},
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
    Violation(std::string("the model file ").append(path).append(" has an unknown command: ").append(line));
    return std::nullopt;
  }
  return parser.script();
}

}  // namespace fake
